// The demo: the explorer over an index of words. Its first answer needs no look-up, as the vector of that word is here, like that of a
// model would be.
import { start } from "./pkg/explorer/app.js";
import * as words from "./words.js";
import { ARRIVAL } from "./arrival.js";

start({
  index: new URL("./index/", import.meta.url),
  arrival: { kind: "vector", vector: ARRIVAL.vector, except: ARRIVAL.word, title: ARRIVAL.word },
  examples: ["jazz", "quantum", "tuesday", "king − man + woman", "paris − france + japan"],
  words,
});
