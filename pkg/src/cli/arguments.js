// Reads the arguments of a command by a table of its options, and refuses what the table does not have, in the words of the native
// command line.
import { nearest } from "../options.js";
import { Failure } from "./failure.js";
import { usageLine } from "./help.js";

/**
 * @typedef {object} Option
 * @property {string} [short] one letter; the same as its name where it has no other
 * @property {string} [value] the name of its value in messages; without one it is a switch
 * @property {string} help
 * @property {readonly string[]} [choices]
 * @property {(text: string) => unknown} [parse] throws an Error with what is wrong
 * @property {string} [fallback] the text that it has where it is not given
 * @property {"=" | "word"} [optional] that the value may be left out, and is the first choice or empty then; with "=" it follows `=` alone
 * @property {boolean} [required]
 * @property {string} [requires] another option
 * @property {string} [conflicts] another option
 * @property {boolean} [list] whether values are separated by commas, and may be given several times
 *
 * @typedef {object} Command
 * @property {string} name
 * @property {string} about
 * @property {string} [operand] the name of what stands alone; without one, nothing does
 * @property {string} [operandHelp]
 * @property {{ name: string, help: string }} [second] what stands alone after it
 * @property {Record<string, Option>} options
 * @property {string[]} [oneOf] options of which exactly one is given
 * @property {string[]} examples
 *
 * @typedef {Record<string, any> & { operand: string, second?: string }} Parsed the values of options by their names
 */

/**
 * @param {Command} command
 * @param {string[]} words
 * @returns {Parsed | "help"}
 */
export function parse(command, words) {
  /** @type {Map<string, string | true>} */
  const given = new Map();
  /** @type {string[]} */
  const operands = [];
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") operands.push(...rest.splice(0));
    else if (word === "--help" || word === "-h") return "help";
    else if (word.startsWith("-") && word !== "-") take(command, word, rest, given);
    else operands.push(word);
    const most = command.second ? 2 : command.operand ? 1 : 0;
    if (operands.length > most) throw wrong(command, `unexpected argument '${operands[most]}' found`);
  }
  return check(command, given, operands);
}

/**
 * Takes an option with its value.
 * @param {Command} command
 * @param {string} word
 * @param {string[]} rest the words after it
 * @param {Map<string, string | true>} given
 */
function take(command, word, rest, given) {
  const names = Object.keys(command.options);
  const long = word.startsWith("--");
  const at = long ? word.indexOf("=") : -1;
  const written = at < 0 ? word.slice(2) : word.slice(2, at);
  const name = long ? names.find((known) => known === written && command.options[known].short !== known) : names.find((known) => command.options[known].short === word[1]);
  if (name === undefined) throw unknown(command, long ? `--${written}` : word.slice(0, 2));
  const option = command.options[name];
  /** @type {string | undefined} what stands in the same word */
  const attached = long ? (at < 0 ? undefined : word.slice(at + 1)) : word.length > 2 ? word.slice(2).replace(/^=/, "") : undefined;
  const label = labelOf(name, option);
  if (given.has(name) && !option.list) throw wrong(command, `the argument '${label}' cannot be used multiple times`);
  const add = (/** @type {string} */ value) => given.set(name, given.has(name) ? `${given.get(name)},${value}` : value);
  if (option.value === undefined) {
    if (attached !== undefined) throw wrong(command, `unexpected value '${attached}' for '${label}' found; no more were expected`);
    given.set(name, true);
  } else if (option.optional) {
    const next = option.optional === "word" && rest.length > 0 && (rest[0] === "-" || !rest[0].startsWith("-"));
    add(attached ?? (next ? /** @type {string} */ (rest.shift()) : (option.choices?.[0] ?? "")));
  } else {
    const value = attached ?? rest.shift();
    if (value === undefined) throw wrong(command, `a value is required for '${label}' but none was supplied`);
    add(value);
  }
}

/**
 * Converts the values, and checks what they say together.
 * @param {Command} command
 * @param {Map<string, string | true>} given
 * @param {string[]} operands
 * @returns {Parsed}
 */
function check(command, given, [operand, second]) {
  /** @type {Record<string, any>} */
  const parsed = { operand, second };
  for (const [name, option] of Object.entries(command.options)) {
    const text = given.get(name) ?? option.fallback;
    if (text !== undefined) parsed[name] = text === true ? true : option.list ? text.split(",").map((part) => convert(command, name, part)) : convert(command, name, text);
  }
  for (const name of given.keys()) {
    const others = [...given.keys()].filter((other) => command.options[name].conflicts === other || command.options[other].conflicts === name).map((other) => label(command, other));
    if (others.length > 0) throw wrong(command, `the argument '${label(command, name)}' cannot be used with${others.length > 1 ? ":" : ` '${others[0]}'`}`, others.length > 1 ? others : []);
  }
  const one = command.oneOf?.filter((name) => given.has(name)) ?? [];
  if (one.length > 1) throw wrong(command, `the argument '${label(command, one[0])}' cannot be used with '${label(command, one[1])}'`);
  const missing = Object.keys(command.options).filter((name) => !given.has(name) && (command.options[name].required || [...given.keys()].some((other) => command.options[other].requires === name)));
  const lacking = missing.map((name) => label(command, name));
  if (command.oneOf && one.length === 0) lacking.push(`<${command.oneOf.map((name) => label(command, name)).join("|")}>`);
  if (command.operand && operand === undefined) lacking.push(`<${command.operand}>`);
  if (command.second && second === undefined) lacking.push(`<${command.second.name}>`);
  if (lacking.length > 0) throw wrong(command, "the following required arguments were not provided:", lacking);
  return /** @type {Parsed} */ (parsed);
}

/**
 * @param {Command} command
 * @param {string} name
 * @param {string} text
 */
function convert(command, name, text) {
  const option = command.options[name];
  const bad = `invalid value '${text}' for '${labelOf(name, option)}'`;
  if (option.choices && !option.choices.includes(text)) {
    const more = [`[possible values: ${option.choices.join(", ")}]`];
    const near = nearest(text, option.choices);
    if (isNear(text, near)) more.push("", `tip: a similar value exists: '${near}'`);
    throw wrong(command, bad, more);
  }
  try {
    return option.parse ? option.parse(text) : text;
  } catch (error) {
    throw wrong(command, `${bad}: ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * @param {Command} command
 * @param {string} word
 */
function unknown(command, word) {
  const names = Object.keys(command.options);
  const near = word.startsWith("--") ? nearest(word.slice(2), names) : "";
  const tip = isNear(word.slice(2), near) ? `tip: a similar argument exists: '--${near}'` : word.startsWith("--") ? "" : `tip: to pass '${word}' as a value, use '-- ${word}'`;
  return wrong(command, `unexpected argument '${word}' found`, tip ? ["", tip] : []);
}

/**
 * Whether a word may be a misspelled name: more of it stays than changes.
 * @param {string} word
 * @param {string} name
 */
function isNear(word, name) {
  const letters = [...name];
  const same = [...word].filter((letter) => letters.includes(letter) && letters.splice(letters.indexOf(letter), 1)).length;
  return name !== "" && word !== "" && same * 2 > Math.max(word.length, name.length);
}

/**
 * @param {Command} command
 * @param {string} name
 */
function label(command, name) {
  return labelOf(name, command.options[name]);
}

/**
 * An option as messages name it.
 * @param {string} name
 * @param {Option} option
 */
export function labelOf(name, { short, value, optional }) {
  return `${short === name ? "-" : "--"}${name}${value === undefined ? "" : optional === "=" ? `[=<${value}>]` : optional ? ` [<${value}>]` : ` <${value}>`}`;
}

/**
 * @param {Command | undefined} command
 * @param {string} message
 * @param {string[]} [more] lines
 */
export function wrong(command, message, more = []) {
  const failure = new Failure(2, "usage", [message, ...more.map((line) => (line ? `  ${line}` : ""))].join("\n"));
  failure.usage = usageLine(command);
  return failure;
}

/**
 * A whole number within bounds.
 * @param {number} least
 * @param {number} most
 */
export function whole(least, most = Number.MAX_SAFE_INTEGER) {
  return (/** @type {string} */ text) => {
    if (!/^\+?\d+$/.test(text)) throw new Error("invalid digit found in string");
    const number = Number(text);
    if (number >= least && number <= most) return number;
    throw new Error(`${text} is not in ${least}..=${most}`);
  };
}
