// Makes one declaration file of each entry, of what its exports reach: users who check declarations (`skipLibCheck: false`) would
// else compile the types of the whole package, with globals that they do not have. Run after tsc has written pkg/types.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const pkg = fileURLToPath(new URL("../", import.meta.url));
const types = join(pkg, "types");
// Version 7 of TypeScript has no API for programs.
const ts = createRequire(join(pkg, "../xtask/node_modules/"))("typescript-5.9");

/** The WebAssembly module of a page, and of Node, whose types may not have one. */
const WASM_MODULE = "typeof globalThis extends { WebAssembly: { Module: new (...args: any) => infer Module } } ? Module : object";

/** What older versions of TypeScript, and projects without the DOM, do not know. */
function portable(text) {
  return text
    .replace(/\b(\w+Array)<ArrayBuffer(?:Like)?>/g, "$1")
    .replace(/import\("[^"]*"\)\./g, "")
    .replace(/\bBufferSource\b/g, "ArrayBuffer | ArrayBufferView")
    .replace(/\bWebAssembly\.Module\b/g, "WasmModule")
    .replace(/^( *)(\[Symbol\.asyncDispose\])/gm, "$1// @ts-ignore: where the project's lib has it\n$1$2");
}

/** The text of a file of types/. */
function declarations(text) {
  const made = portable(text);
  return made.includes("WasmModule") ? `type WasmModule = ${WASM_MODULE};\n${made}` : made;
}

function bundle(entry) {
  const file = join(types, `${entry}.d.ts`);
  const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, target: ts.ScriptTarget.ESNext, types: [] };
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const own = (symbol) => symbol?.declarations?.some((declaration) => declaration.getSourceFile().fileName.startsWith(types) && !ts.isTypeParameterDeclaration(declaration));

  /** Whether a type that is another one's name has the parameters of that, in their order. */
  const passesOn = ({ typeParameters = [] }, { typeArguments = [] }) => String(typeParameters.map(({ name }) => name.text)) === String(typeArguments.map((one) => one.getText()));

  /** What stands behind a name: imports, re-exports, and types that are another one's name. */
  const resolve = (symbol) => {
    for (;;) {
      if (symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
      const [declaration] = symbol.declarations ?? [];
      const named = declaration && ts.isTypeAliasDeclaration(declaration) && ts.isImportTypeNode(declaration.type) ? declaration.type : undefined;
      if (!named || named.isTypeOf || !named.qualifier || !passesOn(declaration, named)) return symbol;
      symbol = checker.getSymbolAtLocation(named.qualifier);
    }
  };

  const names = new Map();
  const queue = [];
  const add = (symbol, wanted = symbol.name) => {
    if (names.has(symbol)) return names.get(symbol);
    let name = wanted;
    for (let i = 1; [...names.values()].includes(name); i++) name = `${wanted}_${i}`;
    names.set(symbol, name);
    queue.push(symbol);
    return name;
  };
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
  const published = new Set(exported.map((symbol) => add(resolve(symbol), symbol.name)));

  /** The text of a declaration, with the names that this file gives to others. */
  const print = (node, name) => {
    const source = node.getSourceFile();
    const start = node.getFullStart();
    const edits = [];
    const replace = (from, to, text) => void edits.push([from - start, to - start, text]); // forEachChild ends at what is truthy
    const visit = (child) => {
      if (ts.isClassElement(child) && (ts.isPrivateIdentifier(child.name ?? child) || ts.getCombinedModifierFlags(child) & ts.ModifierFlags.Private)) {
        return replace(child.getFullStart(), child.getEnd(), "");
      }
      if (ts.isConstructorDeclaration(child) && child.getFullText(source).includes("@internal")) {
        return replace(child.getFullStart(), child.getEnd(), `\n    ${child.getFullText(source).includes("@internal subclasses") ? "protected" : "private"} constructor();`);
      }
      if (ts.isImportTypeNode(child) && child.qualifier) {
        const symbol = resolve(checker.getSymbolAtLocation(child.qualifier));
        replace(child.getStart(source), child.qualifier.getEnd(), `${child.isTypeOf ? "typeof " : ""}${add(symbol)}`);
        return child.typeArguments?.forEach(visit);
      }
      if (ts.isIdentifier(child) && (ts.isTypeReferenceNode(child.parent) || ts.isTypeQueryNode(child.parent) || ts.isExpressionWithTypeArguments(child.parent))) {
        const symbol = checker.getSymbolAtLocation(child);
        if (own(symbol)) replace(child.getStart(source), child.getEnd(), add(resolve(symbol)));
      }
      // Under exactOptionalPropertyTypes too, an option may be passed on that is undefined.
      if (ts.isPropertySignature(child) && child.questionToken && child.type) {
        const isFunction = ts.isFunctionTypeNode(child.type);
        if (isFunction) replace(child.type.getStart(source), child.type.getStart(source), "(");
        replace(child.type.getEnd(), child.type.getEnd(), isFunction ? ") | undefined" : " | undefined");
      }
      if (child !== node && child === node.name) replace(child.getStart(source), child.getEnd(), name);
      ts.forEachChild(child, visit);
    };
    visit(node);
    let text = node.getFullText();
    for (const [from, to, by] of edits.sort((a, b) => b[0] - a[0])) text = text.slice(0, from) + by + text.slice(to);
    const at = node.getStart(source) - start;
    const [comments, code] = [text.slice(0, at).trim(), text.slice(at).replace(/^export /, "").replace(/^declare /, "")];
    const comment = comments.slice(comments.lastIndexOf("/**"));
    return { comment: comment.startsWith("/**") ? `${comment}\n` : "", code };
  };

  const out = [];
  for (let symbol; (symbol = queue.shift()); ) {
    const name = names.get(symbol);
    const [declaration] = symbol.declarations;
    const { comment, code } = print(declaration, name);
    const body = ts.isVariableDeclaration(declaration) ? `const ${code.trim()};` : code;
    const declare = ts.isTypeAliasDeclaration(declaration) || ts.isInterfaceDeclaration(declaration) ? "" : "declare ";
    out.push(`${comment}${published.has(name) ? "export " : ""}${declare}${body}`);
  }
  return declarations(`${out.join("\n")}\nexport {};\n`);
}

const made = new Map(["node", "browser", "entries/inline", "entries/build", "entries/plan", "collection/entries/node", "collection/entries/browser"].map((entry) => [`${entry}.d.ts`, bundle(entry)]));
// What require() gets is another class Index than what import gets, so its types are others too.
made.set("commonjs.d.cts", made.get("node.d.ts"));
for (const entry of ["worker/node", "worker/browser", "collection/workers/browser"]) made.set(`${entry}.d.ts`, "export {};\n");
const handwritten = join(pkg, "declarations");
for (const name of readdirSync(handwritten)) made.set(name, declarations(readFileSync(join(handwritten, name), "utf8")));

rmSync(types, { recursive: true });
for (const [name, text] of made) {
  mkdirSync(dirname(join(types, name)), { recursive: true });
  writeFileSync(join(types, name), text);
}
