// The demo: the explorer over a dictionary. Its first answer needs no look-up, as the vector of that gloss is here, like that of a model
// would be.
import { start } from "./pkg/explorer/app.js";
import { ARRIVAL } from "./arrival.js";
import { controls } from "./controls.js";
import * as dictionary from "./dictionary.js";

const { id, fields, vector } = ARRIVAL;
start({
  index: new URL("./index/", import.meta.url),
  arrival: { kind: "vector", vector, except: [id], title: fields.words[0], entry: { id, senses: [{ id, fields }] } },
  examples: ["bank", "jazz", "bread", "happy", "whisper"],
  words: dictionary,
  narrow: controls,
  describe: dictionary.describe,
  onAnswer: dictionary.showEntry,
});
