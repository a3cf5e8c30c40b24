// The help of the commands, made of their tables.

/**
 * @typedef {import("./arguments.js").Command} Command
 */

const WIDTH = 100;

/** @param {Command} command */
export function helpOf(command) {
  const rows = Object.entries(command.options).map(([name, option]) => {
    const short = option.short ? `-${option.short}, ` : "    ";
    const value = option.value === undefined ? "" : option.optional === "=" ? `[=<${option.value}>]` : option.optional ? ` [<${option.value}>]` : ` <${option.value}>`;
    const more = [option.fallback === undefined ? "" : ` [default: ${option.fallback}]`, option.choices ? ` [possible values: ${option.choices.join(", ")}]` : ""].join("");
    return [`${option.short === name ? `-${name}` : `${short}--${name}`}${value}`, option.help + more];
  });
  rows.push(["-h, --help", "Print help"]);
  return [
    command.about,
    usageLine(command),
    ...(command.operand ? [`Arguments:\n${table([[`<${command.operand}>`, command.operandHelp ?? ""], ...(command.second ? [[`<${command.second.name}>`, command.second.help]] : [])])}`] : []),
    `Options:\n${table(rows)}`,
    `Examples:\n${command.examples.map((example) => `  ${example}`).join("\n")}`,
  ].join("\n\n");
}

/**
 * @param {Command[]} commands
 * @param {string[]} examples
 */
export function helpOfAll(commands, examples) {
  return [
    "A vector index that a page can search where it lies, on any static host",
    usageLine(undefined),
    `Commands:\n${table(commands.map(({ name, about }) => [name, about]))}`,
    `Options:\n${table([["-h, --help", "Print help"], ["-V, --version", "Print version"]])}`,
    `Examples:\n${examples.map((example) => `  ${example}`).join("\n")}`,
  ].join("\n\n");
}

/**
 * @param {Command | undefined} command
 * @returns {string}
 */
export function usageLine(command) {
  if (!command) return "Usage: pagevec <COMMAND>";
  const must = Object.entries(command.options).filter(([, option]) => option.required).map(([name, { value }]) => ` --${name} <${value}>`);
  const one = command.oneOf ? ` <${command.oneOf.map((name) => `--${name} <${command.options[name].value}>`).join("|")}>` : "";
  return `Usage: pagevec ${command.name} [OPTIONS]${must.join("")}${one}${command.operand ? ` <${command.operand}>` : ""}${command.second ? ` <${command.second.name}>` : ""}`;
}

/**
 * Two columns, of which the second is wrapped.
 * @param {string[][]} rows
 */
function table(rows) {
  const first = Math.min(30, Math.max(...rows.map(([name]) => name.length)) + 2);
  return rows
    .map(([name, text]) => {
      const lines = [""];
      for (const word of text.split(" ")) {
        if (lines[lines.length - 1].length + word.length + 1 > WIDTH - first - 2) lines.push("");
        lines[lines.length - 1] += (lines[lines.length - 1] && " ") + word;
      }
      const indent = " ".repeat(first + 2);
      const head = name.length < first - 1 ? `  ${name.padEnd(first)}` : `  ${name}\n${indent}`;
      return head + lines.join(`\n${indent}`);
    })
    .join("\n");
}
