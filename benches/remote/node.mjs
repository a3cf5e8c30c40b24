// The client in a process of its own: it does not share its thread with the server that it measures.
import { open } from "pagevec";
import { start } from "./client.mjs";

let call;
process.on("message", async ([name, ...args]) => {
  if (name === "start") call = await start(open, args[0]);
  process.send(name === "start" ? {} : await call(name, ...args));
});
