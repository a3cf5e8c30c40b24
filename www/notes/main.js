// The page: opens the notes, and does what is typed and pressed. Other tabs change them too.
import { showState } from "./state.js";
import { Notes } from "./store.js";
import { $, nameOf, showFault, showNotes, showStatus, tell } from "./view.js";
import { Words } from "./words/embed.js";

/** A pause in typing after which a search begins. */
const PAUSE_MS = 150;
/** The newest notes that are listed; the others are found. */
const LISTED = 100;
/** Between looks at `stats()`, which change when other tabs come and go. */
const LOOK_MS = 1000;

const words = new Words(new URL("./words/table.bin", import.meta.url));
/** @type {Notes} */
let notes;
/** The note in the form, when it is not a new one. @type {string | undefined} */
let edited;
let saving = false;
/** What undoes the last deletion. @type {(() => Promise<unknown>) | undefined} */
let undo;
/** The `stats()` that are drawn. */
let seen = "";
/** Counts searches: only the newest is shown. */
let turn = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pause;

/** @typedef {import("./store.js").Note} Note */

async function start() {
  try {
    notes = await Notes.open(words, changed, showFault);
  } catch (error) {
    return showFault(error, true);
  }
  for (const button of document.querySelectorAll("button")) button.disabled = false;
  $("editor").open = notes.collection.count === 0;
  await attempt(show);
  setInterval(look, LOOK_MS);
  keepPage();
  // Not before the notes are there: they are what was waited for.
  words.load().catch(() => {}); // a search that needs it tries again, and says what it lacks
}

/** Does something that may fail, and says so if it does. @param {() => Promise<unknown>} work @returns {Promise<boolean>} whether it did not */
async function attempt(work) {
  try {
    await work();
    $("fault").hidden = true;
    return true;
  } catch (error) {
    showFault(error);
    return false;
  } finally {
    look();
  }
}

function look() {
  const stats = notes.collection.stats();
  const text = JSON.stringify(stats);
  // What does not change is neither drawn nor read out again.
  if (text === seen) return;
  seen = text;
  showState(stats);
  showStatus(`${stats.count.toLocaleString("en")} ${stats.count === 1 ? "note" : "notes"}`, "ready");
}

/** Lists what is searched, or the newest. */
async function show() {
  const [mine, query] = [++turn, $("query").value.trim()];
  if (!query) {
    const all = notes.newest();
    const more = all.length - LISTED;
    $("found").textContent = all.length === 0 ? "None yet." : more > 0 ? `The newest ${LISTED}; a search finds the others` : "Newest first";
    return showNotes(all.slice(0, LISTED).map((note) => ({ note })), false, act);
  }
  const from = performance.now();
  const { found, lettersOnly } = await notes.find(query);
  if (mine !== turn) return;
  const text = found.length === 0 ? `Nothing near “${query}”` : `${found.length} near “${query}”, in ${(performance.now() - from).toFixed(0)} ms`;
  $("found").textContent = lettersOnly ? `${text}. The word vectors are out of reach: only letters were compared.` : text;
  showNotes(found, true, act);
}

/** @param {import("./store.js").Change} change */
function changed({ origin, upserted, deleted }) {
  if (!notes) return; // they are being opened, and are shown then
  if (origin === "other" && edited !== undefined) {
    if (upserted.includes(edited)) tell("Another tab has changed the note that you edit. Saving replaces what it wrote.");
    if (deleted.includes(edited)) tell("Another tab has deleted the note that you edit. Saving brings it back.");
  }
  attempt(show);
}

/** @param {"edit" | "delete"} action @param {Note} note */
function act(action, note) {
  if (action === "edit") edit(note);
  else remove(note);
}

/** Puts a note into the form, or nothing. @param {Note} [note] */
function edit(note) {
  edited = note?.id;
  $("editor-title").textContent = note ? `Edit “${nameOf(note)}”` : "New note";
  $("title").value = note?.title ?? "";
  $("text").value = note?.text ?? "";
  $("cancel").hidden = !note;
  if (!note) return;
  $("editor").open = true;
  $("title").focus();
}

/** Stores what is in the form. What is typed meanwhile stays there. */
async function save() {
  const written = { id: edited, ...typed() };
  if (!written.title && !written.text) return tell("Write something first."), $("title").focus();
  if (saving) return;
  saving = true;
  const from = performance.now();
  const done = await attempt(() => notes.save(written));
  saving = false;
  if (!done) return;
  const took = `${(performance.now() - from).toFixed(0)} ms`;
  const { title, text } = typed();
  if (edited === written.id && title === written.title && text === written.text) {
    const hadFocus = $("form").contains(document.activeElement);
    edit();
    if (hadFocus) $("title").focus();
  }
  const unknown = await words.unknown(`${written.title} ${written.text}`);
  const without = unknown.length > 0 ? ` Not in the list of words: ${unknown.slice(0, 5).join(", ")}${unknown.length > 5 ? " …" : ""}.` : "";
  tell(`Saved in ${took}.${without}`);
}

const typed = () => ({ title: $("title").value.trim(), text: $("text").value.trim() });

/** @param {Note} note */
async function remove(note) {
  if (!(await attempt(() => notes.remove(note.id)))) return;
  if (edited === note.id) edit();
  undo = () => notes.save(note);
  tell(`Deleted “${nameOf(note)}”.`, true);
  // The button that was pressed is gone.
  $("undo").focus();
}

async function bringBack() {
  if (undo && (await attempt(undo))) tell("It is back.");
  $("query").focus();
}

/** What the buttons below the drawing do. @type {Record<string, () => Promise<string>>} */
const ACTIONS = {
  async flush() {
    await notes.collection.flush();
    return "What was in memory is in a segment.";
  },
  async compact() {
    await notes.collection.compact();
    return "All notes are in one segment, without dead rows.";
  },
  async persist() {
    return (await notes.collection.persist()) ? "The browser keeps them, also when it is short of room." : "The browser did not promise it.";
  },
  async export() {
    const { segment } = await notes.collection.export();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(segment);
    link.download = "notes.bin";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser has begun to read it by then
    return "Exported to notes.bin.";
  },
};

/** @param {HTMLButtonElement} button */
async function run(button) {
  // It is not disabled meanwhile, as it would lose the keyboard.
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  await attempt(async () => tell(await ACTIONS[button.dataset.action ?? ""]()));
  button.ariaBusy = "false";
}

/** Has the page itself kept, so that it opens without a network. */
async function keepPage() {
  const { serviceWorker } = navigator;
  const say = (/** @type {string} */ text) => void ($("offline").textContent = text);
  if (!serviceWorker) return say("searches without a network; to open, this page needs its server");
  say("this page is being kept");
  try {
    await serviceWorker.register(new URL("./sw.js", import.meta.url));
    await serviceWorker.ready;
    say("opens and searches without a network");
  } catch (error) {
    say(`this page could not be kept: ${/** @type {Error} */ (error).message}`);
  }
}

const typing = () => {
  clearTimeout(pause);
  // On a phone an empty form would hide what is found.
  if (edited === undefined && !typed().title && !typed().text) $("editor").open = false;
  pause = setTimeout(() => notes && attempt(show), PAUSE_MS);
};

$("query").addEventListener("input", typing);
$("search").addEventListener("submit", (/** @type {Event} */ event) => (event.preventDefault(), typing()));
$("form").addEventListener("submit", (/** @type {Event} */ event) => (event.preventDefault(), save()));
$("cancel").addEventListener("click", () => (edit(), $("title").focus()));
$("undo").addEventListener("click", bringBack);
$("again").addEventListener("click", () => location.reload());
for (const button of document.querySelectorAll("[data-action]")) button.addEventListener("click", () => run(/** @type {HTMLButtonElement} */ (button)));

start();
