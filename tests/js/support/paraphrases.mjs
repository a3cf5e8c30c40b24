// A thousand texts, a hundred of which have a paraphrase: what a search by meaning must find, whatever words it has.
import { readFileSync } from "node:fs";

/** Title, text, and the text in other words. */
const planted = readFileSync(new URL("paraphrases.txt", import.meta.url), "utf8").trimEnd().split("\n").map((line) => line.split(" | "));

const PLACES = ["museum", "library", "swimming pool", "town hall", "market", "theatre", "zoo", "castle", "harbour", "station", "hospital", "school", "bakery", "cinema", "park", "church", "stadium", "airport", "hotel", "campsite", "lighthouse", "bridge", "post office", "university", "playground", "botanical garden", "ice rink", "concert hall", "bookshop", "restaurant"];
const FACTS = [
  "opens at nine and closes at six on weekdays", "is a ten minute walk from the station", "was rebuilt after the fire of 1892", "has a café on the first floor",
  "is closed on public holidays", "offers free entry to children under six", "can be reached by bus number four", "was designed by a local architect",
  "has a car park with two hundred spaces", "lends wheelchairs at the entrance", "hosts a festival every June", "is known for its blue roof",
  "employs forty people", "sells tickets online only", "was the first of its kind in the country", "has a collection of old maps", "is being renovated until spring",
  "shows a new exhibition each month", "belongs to the city", "welcomes dogs on a lead", "has a view over the river", "was founded by a merchant",
  "rings a bell at noon", "is heated with wood from the forest", "holds guided tours on Sundays", "keeps its records in the cellar", "is lit at night",
  "was painted by students", "asks visitors to be quiet", "closes early in winter",
];
const town = PLACES.flatMap((place) => FACTS.map((fact, i) => [`The ${place}, note ${i + 1}`, `The ${place} ${fact}.`]));

/** Lines of docs.jsonl. Those with a paraphrase stand between the others, not together. */
export const documents = spread(planted, town).map(([title, text]) => ({ title, url: `/${title.toLowerCase().replaceAll(/[^a-zé0-9]+/g, "-")}/`, text }));
/** What is asked, and the title of the text that says the same. */
export const paraphrases = planted.map(([title, , query]) => ({ query, title }));

function spread(few, many) {
  const each = many.length / few.length;
  return few.flatMap((one, i) => [one, ...many.slice(i * each, (i + 1) * each)]);
}
