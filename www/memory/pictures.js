// The pictures of what is in memory: the linear memory, and the pages of the file, section by section.
import { bytes, counted, percent } from "../pkg/explorer/format.js";
import { Bytes } from "./canvas.js";
import { $, data, element, write } from "./page.js";

/** What sections are for, and the colour of each kind. */
const KINDS = /** @type {[string, string, string[]][]} */ ([
  ["rows", "vectors", ["codes", "refine rows", "exact rows", "graph"]],
  ["lists", "lists of near vectors", ["lists", "leaves", "cells", "list parameters"]],
  ["ids", "ids", ["ids", "id order"]],
]);
/** Sections as people know them. */
const NAMES = /** @type {Record<string, string>} */ ({ codes: "vectors", "id order": "order of ids", fields: "texts", terms: "words of fields", sets: "rows of words", sorted: "sorted fields", graph: "graph" });
/** Sections shorter than this part of the file are not drawn. */
const LEAST = 0.004;

/** @typedef {import("./canvas.js").Ranges} Ranges */

const linear = new Bytes($("linear"), 12);
/** @type {Map<string, Bytes>} */
const strips = new Map();
let fileLength = 0;
/** @type {{ name: string, offset: number, length: number }[]} */
let sections = [];

/** @param {string} section */
const kindOf = (section) => KINDS.find(([, , names]) => names.includes(section))?.[0] ?? "others";

/** Another index: a strip for each large section. @param {any} info */
export function openPictures(info) {
  fileLength = info.fileLength;
  sections = info.sections.filter((/** @type {{ length: number }} */ { length }) => length > LEAST * fileLength);
  $("pages").replaceChildren(...sections.flatMap(({ name, length }) => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.createElement("canvas"));
    canvas.setAttribute("role", "img");
    canvas.className = "strip";
    strips.set(name, new Bytes(canvas));
    return [element("span", "name", NAMES[name] ?? name), element("span", "size", bytes(length)), canvas];
  }));
}

/** @param {{ offset: number, length: number }[]} units @returns {Ranges} */
const inFile = (units) => units.map(({ offset, length }) => [offset, offset + length]);
const sum = (/** @type {{ length: number }[]} */ all) => all.reduce((total, { length }) => total + length, 0);

/** @param {any} map of `memoryMap()` @param {any} stats */
export function showMap(map, stats) {
  showLinear(map);
  const units = map.arenas.flatMap((/** @type {any} */ arena) => arena.units);
  const touched = units.filter((/** @type {any} */ unit) => unit.touched);
  for (const section of sections) {
    const within = (/** @type {any[]} */ some) => some.filter(({ offset }) => offset >= section.offset && offset < section.offset + section.length).map((unit) => ({ ...unit, offset: unit.offset - section.offset }));
    const [here, used] = [within(units), within(touched)];
    const strip = strips.get(section.name);
    strip?.show(section.length, [{ colour: "unread", ranges: [[0, section.length]] }, { colour: "before", ranges: inFile(here) }, { colour: "now", ranges: inFile(used) }]);
    const share = percent(Math.min(1, sum(here) / section.length));
    strip?.canvas.setAttribute("aria-label", `${NAMES[section.name] ?? section.name}: ${share} in memory, ${counted(used.length, "page")} used by the last search`);
  }
  write("pages-touched", sum(touched), `${bytes(sum(touched))} in ${counted(touched.length, "page")}`);
  write("pages-here", stats.resident);
  write("pages-away", Math.max(0, fileLength - stats.resident));
  return { touched: touched.length };
}

/** @param {any} map */
function showLinear({ linearMemory, stack, statics, heap, arenas }) {
  const place = (/** @type {{ address: number, length: number }[]} */ all) => /** @type {Ranges} */ (all.map(({ address, length }) => [address, address + length]));
  const kinds = [...KINDS.map(([colour, text]) => ({ colour, text })), { colour: "others", text: "texts and the rest" }].map((kind) => {
    const own = arenas.filter((/** @type {any} */ { section }) => kindOf(section) === kind.colour);
    return { ...kind, memory: own.flatMap((/** @type {any} */ arena) => arena.memory), touched: own.flatMap((/** @type {any} */ arena) => arena.units.filter((/** @type {any} */ unit) => unit.touched)) };
  });
  const used = { address: stack.length - stack.used, length: stack.used };
  linear.show(linearMemory, [
    { colour: "free", ranges: [[0, linearMemory]] },
    { colour: "room", ranges: [[0, stack.length]] },
    { colour: "stack", ranges: place([used]) },
    { colour: "statics", ranges: place([statics]) },
    ...kinds.map(({ colour, memory }) => ({ colour, ranges: place(memory) })),
    { colour: "now", ranges: place(kinds.flatMap(({ touched }) => touched)) },
  ]);
  const inArenas = kinds.reduce((total, { memory }) => total + sum(memory), 0);
  const rest = Math.max(0, heap.reserved - inArenas);
  const rows = /** @type {[string, string, number][]} */ ([
    ["stack", "stack, at its deepest", stack.used],
    ["room", "kept free for it", stack.length - stack.used],
    ["statics", "the program's tables", statics.length],
    ...kinds.map(({ colour, text, memory }) => [colour, text, sum(memory)]),
    ["now", "used by the last search", sum(kinds.flatMap(({ touched }) => touched))],
    ["free", "free, and small things", linearMemory - stack.length - statics.length - inArenas],
  ]);
  const legend = rows.map(([colour, text, value]) => {
    const item = element("li", `colour-${colour}`, `${text} `, data(value, bytes(value)));
    item.dataset.part = colour;
    return item;
  });
  $("linear-legend").replaceChildren(...legend);
  $("linear-now").textContent =
    `Here and now: ${bytes(linearMemory)} in all. The stack may take ${bytes(stack.length)} and has never taken more than ${bytes(stack.used)}. ` +
    `The first byte of the heap has the number ${heap.address.toLocaleString("en")}; what this index holds in it besides pages of the file takes ${bytes(rest)}.`;
}
