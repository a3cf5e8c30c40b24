// Inputs of `pagevec build`, good and bad: one table for both command lines, the native one and that of the package.

const [ROWS, DIM] = [120, 5];

/** Values between -1 and 1, all of them exact in f16. */
function values(rows, dim) {
  let state = 0x9e3779b9;
  return Float32Array.from({ length: rows * dim }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 22) / 512 - 0.9990234375;
  });
}

/** A .npy file: `descr` as NumPy names it, `data` as it lies in the file. */
export function npyFile(descr, shape, data, { order = "False", version = 1 } = {}) {
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const header = text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11) + "\n";
  const head = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\x00\x00\x00`, "latin1");
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, Buffer.from(header, "latin1"), data]);
}

const bytesOf = (numbers) => Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
const data = values(ROWS, DIM);
const rowsOf = (numbers) => Array.from({ length: numbers.length / DIM }, (_, i) => [...numbers.subarray(i * DIM, (i + 1) * DIM)]);
const changed = (at, value) => Float32Array.from(data, (x, i) => (i === at ? value : x));
const shape = `(${ROWS}, ${DIM})`;
const f4 = (numbers, how) => npyFile("<f4", shape, bytesOf(numbers), how);
const whole = f4(data);

/** The bits of an f16 that has the value exactly. */
function half(value) {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const bits = exponent < -14 ? Math.abs(value) * 2 ** 24 : ((exponent + 15) << 10) | (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return bits | (value < 0 ? 0x8000 : 0);
}

const record = (dim, row) => Buffer.concat([bytesOf(Int32Array.of(dim)), bytesOf(Float32Array.from(row))]);
const objects = rowsOf(data).map((vector, i) => ({ id: `wä"${i}`, vector }));
const linesOf = (all) => all.map((object) => `${JSON.stringify(object)}\n`).join("");
const lines = linesOf(objects);
const array = `[${lines.trimEnd().replaceAll("\n", ",\n")}]`;
const richer = objects.map((object) => ({ ...object, title: '}]{[\\"', tags: [[1], { vector: [2] }], more: null }));
/** Fields that JSON has in several ways, or that JavaScript changes. */
const odd = [
  '{"vector": [1, 0], "b" : 1.50, "a\\u00e4": "\\u0041\\/", "2": [ 1e21, -0.0, 1E-7, 5e-324, 0.10 ], "01": { }, "b": {"x": true } }',
  '{"vector": [0.12345678901234567, 1], "n": [9007199254740993, -9223372036854775808, 18446744073709551615, 18446744073709551616, -9223372036854775809], "text": "9007199254740993 \\" 1", "9007199254740993": "x"}',
  '{"__proto__": {"constructor": 1}, "toJSON": "x", "vector": [12345678901234567890, 1], "\\ud83e\\udd80\\u0000\\u2028\\u001f": "\\b\\f\\n\\r\\t\\u007f\\ufeff"}',
  `{"vector": [1, 1], "deep": ${"[".repeat(125)}{}${"]".repeat(125)}, "long": "${"ä".repeat(32_000)}"}`,
  '{"vector": [2, 1], "none": null, "10": 1, "9": {"4294967295": 1, "4294967294": 2, "0": 3}, "-1": []}',
].map((line) => `${line}\n`).join("");
const meta = objects.map((_, i) => ({ id: `x${i}`, title: `T${i}`, vector: i, url: `https://example.org/${i}`, n: i / 2 }));
/** Fields of all types; some are missing, some have several values. */
const typed = objects.map((object, i) => ({
  ...object, pos: ["n", "v", "größe"][i % 3], tags: i % 4 ? [`t${i % 7}`, `t${i % 5}`] : [], size: i % 10 ? i - 60 : null, price: i / 4, sold: i % 2 === 0, at: new Date(Date.UTC(2026, 0, i, 12)).toISOString(), near: { lat: (i % 180) - 89.5, lon: 179.5 - 2 * i }, code: i, text: `text ${i} ${"x".repeat(80)}`,
}));
/** The text with `word` in place of the last component of the 30th row. */
function put(text, word) {
  const row = JSON.stringify(objects[29]);
  return text.replace(row, `${row.slice(0, row.lastIndexOf(","))},${word}]}`);
}
const utf16 = (text) => Buffer.from(text, "utf16le");
const swapped = (bytes) => Buffer.from(bytes).swap16();
const words = Array.from({ length: ROWS }, (_, i) => `w${i}\n`).join("");
/** The same fields as `meta`, in CSV: quoted, or as short as they may be. */
const quoted = (value) => `"${String(value).replaceAll('"', '""')}"`;
const csv = (cell, end = "\n") => [Object.keys(meta[0]), ...meta.map((object) => Object.values(object))].map((cells) => cells.map(cell).join(",") + end).join("");
const table = [
  "2,title,n,flag,zip,big,mixed,none",
  ...Array.from({ length: ROWS }, (_, i) => `"ü\t${i}","a ""${i}"",\nb",${["1", "-2.50", "1e21", "", "0.1"][i % 5]},${["true", "FALSE", "True", ""][i % 4]},0${i},${2 ** 53 - (i % 2)},${i % 7 ? i : "x"},`),
].join("\r\n");
/** Payloads that are refused. */
const [metaLines, line4] = [linesOf(meta), `${JSON.stringify(meta[3])}\n`];
const badPayloads = [
  ["few lines", linesOf(meta.slice(2)), ["118 lines for 120 rows", "one object for each row"]],
  ["many lines", `${metaLines}{}\n`, ["121 lines for 120 rows"]],
  ["many lines for a limit", linesOf(meta.slice(0, 60)), ["60 lines for 120 rows"], { more: ["--limit", "50"] }],
  ["no lines", "", ["0 lines for 120 rows"]],
  ["a number", metaLines.replace(line4, "7\n"), ["line 4", "no JSON object"]],
  ["a list", metaLines.replace(line4, " [1]\n"), ["line 4", "no JSON object"]],
  ["a long row", metaLines.replace(line4, `{"text":"${"ä".repeat(32_763)}"}\n`), ["line 4", "65537 bytes", "65535"]],
  ["NaN", metaLines.replace(line4, '{"n":NaN}\n'), ["line 4", "NaN is not JSON"]],
  ["Latin-1", Buffer.from(metaLines.replace(line4, '{"n":"ä"}\n'), "latin1"), ["line 4", "not UTF-8"]],
  ["UTF-16", utf16(metaLines), ["UTF-16"]],
  ["a line that is cut", metaLines.replace(line4, `${line4.slice(0, -2)}\n`), ["line 4", "one object a line"], { differs: true }],
  ["a number beyond all", metaLines.replace(line4, '{"n":1e999}\n'), ["line 4", "number out of range"], { differs: true }],
  ["half a character", metaLines.replace(line4, '{"n":"\\ud83e"}\n'), ["line 4"], { differs: true }],
  ["a deep one", metaLines.replace(line4, `{"n":${"[".repeat(127)}${"]".repeat(127)}}\n`), ["line 4", "recursion limit exceeded"], { differs: true }],
].map(([name, text, told, { more = [], ...how } = {}]) => [`a payload: ${name}`, { "rows.npy": whole, "meta.jsonl": text }, "input", told, { options: ["--payload", "meta.jsonl", ...more], ...how }]);
const badTables = [
  ["no bytes", "", ["it is empty"]],
  ["a column without a name", "a,,c\n1,2,3\n", ["record 1", "column 2 has no name"]],
  ["a name that stands twice", "a,b,a\n1,2,3\n", ["record 1", "two columns", '"a"']],
  ["semicolons", "a;b\n1;2\n", ["record 1", "semicolons"]],
  ["a long record", `a,b\n${"1,2\n".repeat(ROWS - 1)}1,2,3\n`, ["record 121", "3 cells where the first record has 2"]],
  ["Latin-1", Buffer.from(`a,b\n${"1,2\n".repeat(ROWS - 1)}1,ä\n`, "latin1"), ["record 121", "not UTF-8"]],
  ["few records", "a,b\n1,2\n\n3,4\n", ["2 lines for 120 rows"]],
  ["a long cell", `a\n"${"\n".repeat(65_537)}"\n${"1\n".repeat(ROWS - 1)}`, ["record 2", "131082 bytes", "65535"]],
].map(([name, text, told]) => [`a table: ${name}`, { "rows.npy": whole, "meta.csv": text }, "input", told, { options: ["--payload", "meta.csv"] }]);

/**
 * Inputs that are built: `files` by name, of which the first is built, and options. What `as` names gives the same file.
 */
export const GOOD = [
  { name: "rows.npy", files: { "rows.npy": whole } },
  { name: "halves.npy", as: "rows.npy", files: { "halves.npy": npyFile("<f2", shape, bytesOf(Uint16Array.from(data, half))) } },
  { name: "doubles.npy", as: "rows.npy", files: { "doubles.npy": npyFile("<f8", shape, bytesOf(Float64Array.from(data))) } },
  { name: "rows.fvecs", as: "rows.npy", files: { "rows.fvecs": Buffer.concat(rowsOf(data).map((row) => record(DIM, row))) } },
  { name: "numbers.jsonl", as: "rows.npy", files: { "numbers.jsonl": linesOf(rowsOf(data).map((vector, id) => ({ id, vector }))) } },
  { name: "no-ids.jsonl", as: "rows.npy", files: { "no-ids.jsonl": linesOf(rowsOf(data).map((vector) => ({ vector }))) } },
  { name: "null-ids.jsonl", as: "rows.npy", files: { "null-ids.jsonl": linesOf(rowsOf(data).map((vector) => ({ id: null, vector }))) } },
  { name: "one row.npy", files: { "one row.npy": npyFile("<f4", "(5,)", bytesOf(data.subarray(0, 5))) } },
  { name: "words", files: { "rows.npy": whole, "words.txt": words }, options: ["--ids", "words.txt"] },
  { name: "words with CRLF and a mark", as: "words", files: { "rows.npy": whole, "words.txt": `\ufeff${words.replaceAll("\n", "\r\n")}` }, options: ["--ids", "words.txt"] },
  { name: "number ids", files: { "rows.npy": whole, "numbers.txt": Array.from({ length: ROWS }, (_, i) => `${2 ** 53 - 1 - i}\n`).join("") }, options: ["--ids", "numbers.txt", "--ids-type", "number"] },
  { name: "limit", files: { "rows.npy": whole, "words.txt": words }, options: ["--ids", "words.txt", "--limit", "50"] },
  { name: "plain.jsonl", files: { "plain.jsonl": lines } },
  { name: "mark.jsonl", as: "plain.jsonl", files: { "mark.jsonl": `\ufeff${lines}` } },
  { name: "windows.ndjson", as: "plain.jsonl", files: { "windows.ndjson": lines.replaceAll("\n", "\r\n") } },
  { name: "gaps.jsonl", as: "plain.jsonl", files: { "gaps.jsonl": `\n \n${lines.replaceAll("\n", "\n\n")}` } },
  { name: "no-end.jsonl", as: "plain.jsonl", files: { "no-end.jsonl": lines.trimEnd() } },
  { name: "array.json", as: "plain.jsonl", files: { "array.json": array } },
  { name: "pretty.json", as: "plain.jsonl", files: { "pretty.json": `\ufeff\n${JSON.stringify(objects, undefined, 1)}\n` } },
  { name: "more fields", files: { "more.jsonl": linesOf(richer) } },
  { name: "more fields in an array", as: "more fields", files: { "more.json": JSON.stringify(richer) } },
  { name: "no fields of more", as: "plain.jsonl", files: { "more.jsonl": linesOf(richer) }, options: ["--no-store"] },
  { name: "named fields", files: { "more.jsonl": linesOf(richer) }, options: ["--store", "more,title"] },
  { name: "more fields as export writes them", as: "more fields", files: { "more.jsonl": linesOf(richer.map(({ id, vector, ...fields }) => ({ id, fields, vector }))) } },
  { name: "a field of the name fields", files: { "more.jsonl": linesOf(objects.map(({ id, vector }, i) => ({ id, fields: i % 2 ? { a: i } : [i], vector, ...(i % 3 ? {} : { b: i }) }))) } },
  { name: "named fields as export writes them", as: "named fields", files: { "more.jsonl": linesOf(richer.map(({ id, vector, ...fields }) => ({ fields, vector, id }))) }, options: ["--store", "more,title"] },
  { name: "named fields, one by one", as: "named fields", files: { "more.jsonl": linesOf(richer) }, options: ["--store=title", "--store=more"] },
  { name: "odd fields", files: { "odd.jsonl": odd } },
  { name: "fields of some rows", files: { "some.jsonl": linesOf(objects.map((object, i) => (i % 3 ? object : { ...object, [`n${i % 7}`]: i }))) }, options: ["--parts"] },
  { name: "a payload", files: { "rows.npy": whole, "meta.jsonl": linesOf(meta) }, options: ["--payload", "meta.jsonl"] },
  { name: "a payload in an array", as: "a payload", files: { "rows.npy": whole, "meta.json": JSON.stringify(meta, undefined, 1) }, options: ["--payload", "meta.json"] },
  { name: "a payload of CSV", as: "a payload", files: { "rows.npy": whole, "meta.csv": csv(quoted, "\r\n") }, options: ["--payload", "meta.csv"] },
  { name: "a payload of tabs", as: "a payload", files: { "rows.npy": whole, "meta.TSV": `\ufeff${csv(String).replaceAll(",", "\t").replaceAll("\n", "\n\n")}` }, options: ["--payload", "meta.TSV"] },
  { name: "a payload as export writes it", as: "a payload", files: { "rows.npy": whole, "meta.jsonl": linesOf(meta.map(({ id, vector, ...fields }) => ({ id, fields }))) }, options: ["--payload", "meta.jsonl"] },
  { name: "ids of a payload", files: { "rows.npy": whole, "meta.jsonl": linesOf(meta) }, options: ["--payload", "meta.jsonl", "--id-field", "url"] },
  { name: "ids of a payload of CSV", as: "ids of a payload", files: { "rows.npy": whole, "meta.csv": csv(quoted) }, options: ["--payload", "meta.csv", "--id-field", "url"] },
  { name: "ids of a payload, stored too", files: { "rows.npy": whole, "meta.jsonl": linesOf(meta) }, options: ["--payload", "meta.jsonl", "--id-field", "url", "--store", "title,url", "--limit", "50"] },
  { name: "ids of a payload by their usual name", files: { "rows.npy": whole, "meta.jsonl": linesOf(meta) }, options: ["--payload", "meta.jsonl", "--id-field=id", "--parts"] },
  { name: "numbers of lines", files: { "some.jsonl": linesOf(richer.map(({ vector, title }, i) => ({ n: 2 ** 53 - 1 - i, vector, title }))) }, options: ["--id-field", "n"] },
  { name: "numbers of lines as export writes them", as: "numbers of lines", files: { "some.jsonl": linesOf(richer.map(({ vector, title }, i) => ({ fields: { n: 2 ** 53 - 1 - i, title }, vector }))) }, options: ["--id-field", "n"] },
  { name: "ids of lines by their usual name", as: "plain.jsonl", files: { "plain.jsonl": lines }, options: ["--id-field", "id"] },
  { name: "ids of lines of which no field is stored", as: "plain.jsonl", files: { "plain.jsonl": linesOf(objects.map(({ id, vector }) => ({ vector, name: id }))) }, options: ["--id-field", "name", "--no-store"] },
  { name: "a table", files: { "rows.npy": whole, "meta.csv": table }, options: ["--payload", "meta.csv"] },
  { name: "a table with keywords", files: { "rows.npy": whole, "meta.csv": table, "schema.json": '{"n":"keyword","flag":"boolean","zip":"keyword"}' }, options: ["--payload", "meta.csv", "--schema", "schema.json"] },
  { name: "a payload and words", files: { "rows.npy": whole, "words.txt": words, "meta.jsonl": linesOf(meta) }, options: ["--ids", "words.txt", "--payload", "meta.jsonl", "--store", "url", "--limit", "50"] },
  { name: "a payload of lines for fewer rows", files: { "rows.npy": whole, "meta.jsonl": linesOf(meta.slice(0, 50)) }, options: ["--payload", "meta.jsonl", "--limit", "50"] },
  { name: "a payload without fields", as: "rows.npy", files: { "rows.npy": whole, "meta.jsonl": "{}\n".repeat(ROWS) }, options: ["--payload", "meta.jsonl"] },
  { name: "a payload beside fields", files: { "more.jsonl": linesOf(richer), "meta.jsonl": linesOf(meta) }, options: ["--payload", "meta.jsonl", "--store", "title,url,more"] },
  { name: "a payload beside odd fields", files: { "odd.jsonl": odd, "meta.jsonl": odd.replaceAll('"x"', '"y"') }, options: ["--payload", "meta.jsonl"] },
  { name: "fields of all types", files: { "typed.jsonl": linesOf(typed) } },
  { name: "declared types", files: { "typed.jsonl": linesOf(typed), "schema.json": '{"pos": "keyword", "size": "float",\n "at": "timestamp", "code": "integer"}' }, options: ["--schema", "schema.json"] },
  { name: "no types", files: { "typed.jsonl": linesOf(typed), "schema.json": "{}" }, options: ["--schema", "schema.json"] },
  ...[["cosine", "f32"], ["dot", "f16"], ["l2", "sq4"], ["cosine", "binary"], ["l2", "pq4"]].map(([metric, codec]) => ({ name: `${metric}, ${codec}`, files: { "rows.npy": whole }, options: ["--metric", metric, "--codec", codec, "--parts"] })),
  { name: "three stages, parts only", files: { "rows.npy": whole }, options: ["--codec", "binary", "--refine", "sq8", "--exact", "f16", "--parts=only"] },
  { name: "no graph", files: { "rows.npy": whole }, options: ["--no-graph", "--seed", "7", "--parts"] },
  { name: "no clusters", files: { "rows.npy": whole }, options: ["--no-clusters", "-M", "8", "--ef-construction", "50", "--parts"] },
  { name: "tuning queries", files: { "rows.npy": whole, "queries.npy": npyFile("<f4", "(20, 5)", bytesOf(data.subarray(50, 150))) }, options: ["--tuning-queries", "queries.npy", "--metric", "IP"] },
];

/** Rows with fields of all types. */
export const TYPED = { "typed.jsonl": linesOf(typed) };

/**
 * Inputs that are refused: the exit code, the code, and words of the message. Where `differs` is given, the message quotes the parser
 * of JSON, which is another in each.
 */
export const BAD = [
  ["NaN", { "nan.npy": f4(changed(17 * DIM + 3, NaN)) }, "not-finite", ["row 17"]],
  ["a row of zeros", { "zero.npy": f4(data.map((x, i) => (i >= 45 && i < 50 ? 0 : x))) }, "zero-vector", ["row 9"]],
  ["a file that is cut", { "cut.npy": whole.subarray(0, -1) }, "input", ["cut or extended"]],
  ["a file that is longer", { "long.npy": Buffer.concat([whole, Buffer.from("x")]) }, "input", ["cut or extended"]],
  ["a header that is cut", { "head.npy": whole.subarray(0, 40) }, "input", ["ends inside its .npy header"]],
  ["Fortran order", { "fortran.npy": f4(data, { order: "True" }) }, "input", ["Fortran"]],
  ["no order", { "order.npy": f4(data, { order: "Maybe" }) }, "input", ["whether its order"]],
  ["big-endian", { "big.npy": npyFile(">f4", shape, bytesOf(data)) }, "input", [">f4"]],
  ["integers", { "int.npy": npyFile("<i4", shape, bytesOf(data)) }, "input", ["integers"]],
  ["a structure", { "record.npy": npyFile("|V8", shape, bytesOf(data)) }, "input", ["|V8"]],
  ["a vast shape", { "vast.npy": npyFile("<f4", "(18446744073709551615, 4)", Buffer.alloc(0)) }, "input", ["beyond any file"]],
  ["three dimensions", { "three.npy": npyFile("<f4", "(1, 2, 3)", Buffer.alloc(24)) }, "input", ["reshape"]],
  ["a version to come", { "version.npy": f4(data, { version: 9 }) }, "input", ["version other than"]],
  ["another file", { "not.npy": "not numpy at all" }, "input", ["\\x93NUMPY"]],
  ["an empty file", { "empty.npy": "" }, "input", ["header"]],
  ["no rows", { "none.npy": npyFile("<f4", "(0, 5)", Buffer.alloc(0)) }, undefined, []],
  ["no file", {}, "io", ["missing.npy", "No such file"], { input: "missing.npy" }],
  ["a folder", {}, "input", ["not a regular file"], { input: "folder.npy", folder: "folder.npy" }],
  ["a folder of lines", {}, "input", ["this is a folder"], { input: "folder.jsonl", folder: "folder.jsonl" }],
  ["another ending", { "rows.csv": "1,2\n" }, "usage", [".npy, .fvecs"], { differs: true }],
  ["fvecs that are cut", { "cut.fvecs": record(3, [0.5, 0.5, 0.5]).subarray(0, 10) }, "input", ["no whole number of rows"]],
  ["fvecs of two lengths", { "mixed.fvecs": Buffer.concat([record(3, [0.5, 0.5, 0.5]), record(2, [0.5, 0.5, 0.5])]) }, "input", ["row 1 has 2 components"]],
  ["fvecs of a negative length", { "negative.fvecs": record(-3, [0.5]) }, "input", ["-3"]],
  ["fvecs without a row", { "short.fvecs": "ab" }, "input", ["too short"]],
  ["lines of two lengths", { "a.jsonl": '{"id":1,"vector":[1,2]}\n\n{"id":2,"vector":[1]}\n' }, "input", ["line 3", "1 components"]],
  ["ids of two kinds", { "b.jsonl": '{"id":1,"vector":[1,2]}\n{"id":"x","vector":[1,2]}\n' }, "input", ["line 2", "all texts, all numbers"]],
  ["one id twice", { "d.jsonl": '{"id":1,"vector":[1,2]}\n{"id":1,"vector":[2,1]}\n' }, "duplicate-id", ["twice"]],
  ["two vectors", { "two.jsonl": '{"id":1,"vector":[1,2],"vector":[1,2]}\n' }, "input", ["line 1", "two vectors"], { differs: true }],
  ["no lines", { "e.jsonl": "" }, "input", ["no line, so no vector"]],
  ["no object", { "c.jsonl": '{"id":1,"vector":[1,2]}\nnonsense\n' }, "input", ["line 2"], { differs: true }],
  ["Python's NaN", { "nan.jsonl": put(lines, "NaN") }, "input", ["line 30", "NaN is not JSON"]],
  ["Python's infinity", { "inf.jsonl": put(lines, " -Infinity") }, "input", ["line 30", "-Infinity"]],
  ["Infinity in an array", { "inf.json": put(array, "Infinity") }, "input", ["line 30", "Infinity"]],
  ["null", { "null.json": put(array, "null") }, "input", ["line 30", "null in its vector"]],
  ["beyond f32", { "large.jsonl": put(lines, "4e38") }, "input", ["line 30", "component 4", "beyond f32"]],
  ["a text in a vector", { "text.jsonl": put(lines, '"NaN"') }, "input", ["line 30", 'string "NaN"'], { differs: true }],
  ["an id that is no number", { "half.jsonl": '{"id":1.5,"vector":[1,2]}\n' }, "input", ["line 1", "a text or a whole number from 0"], { differs: true }],
  ["UTF-16", { "16.jsonl": utf16(`\ufeff${lines}`) }, "input", ["UTF-16", "iconv"]],
  ["UTF-16, big-endian", { "16be.jsonl": swapped(utf16(`\ufeff${lines}`)) }, "input", ["UTF-16", "iconv"]],
  ["UTF-16 without a mark", { "16none.jsonl": utf16(lines) }, "input", ["UTF-16", "iconv"]],
  ["Latin-1", { "latin.jsonl": Buffer.from(lines, "latin1") }, "input", ["line 1", "not UTF-8"]],
  ["lists", { "lists.jsonl": "[1,2]\n[3,4]\n" }, "input", ["line 1", "a list"]],
  ["an array that is cut", { "cut.json": array.slice(0, -40) }, "input", ["line 120", "cut"]],
  ["no comma", { "comma.json": array.replace(",\n", "\n") }, "input", ["line 2", "comma"]],
  ["a number in an array", { "mixed.json": array.replace("\n{", "\n7,{") }, "input", ["line 2", "array of objects"]],
  ["two arrays", { "more.json": `${array}\n${array}` }, "input", ["line 121", "follows the end"]],
  ["an object over lines", { "pretty.jsonl": '{\n "vector": [1, 2]\n}\n' }, "input", ["line 1", "one object a line"], { differs: true }],
  ["two objects in a line", { "both.jsonl": '{"vector":[1]}{"vector":[2]}\n' }, "input", ["line 1", "one object a line"]],
  ["another name", { "name.jsonl": lines.replaceAll("vector", "embedding") }, "input", ["line 1", "rename", "embedding"], { differs: true }],
  ["a text for a vector", { "string.jsonl": lines.replaceAll("[", '"[').replaceAll("]", ']"') }, "input", ["line 1", "no list"]],
  ["an empty array", { "none.json": "[ ]" }, "input", ["no vector"]],
  ["few ids", { "rows.npy": whole, "few.txt": "a\nb\n" }, "input", ["2 ids for 120 vectors"], { options: ["--ids", "few.txt"] }],
  ["ids in Latin-1", { "rows.npy": whole, "latin.txt": Buffer.from("a\nb\xe9\n", "latin1") }, "input", ["line 2", "not UTF-8"], { options: ["--ids", "latin.txt"] }],
  ["ids in UTF-16", { "rows.npy": whole, "16.txt": utf16("\ufeffa\nb\n") }, "input", ["line 1", "-f UTF-16"], { options: ["--ids", "16.txt"] }],
  ["words for numbers", { "rows.npy": whole, "words.txt": words }, "input", ["line 1", "w0", "--ids-type text"], { options: ["--ids", "words.txt", "--ids-type", "number"] }],
  ["one word for all", { "rows.npy": whole, "same.txt": "same\n".repeat(ROWS) }, "duplicate-id", ["same", "twice"], { options: ["--ids", "same.txt"] }],
  ...[
    ["no id", '{"a":1,"b":2}', ["line 4", '"url"', "others: a, b"]],
    ["an id of null", '{"url":null}', ["line 4", "others: none"]],
    ["an id of another kind", '{"url":7}', ["line 4", "is a number, those of other rows are texts"]],
    ["an id that is none", '{"url":1.5}', ["line 4", "whole number from 0 to 9007199254740991"]],
    ["an id below zero", '{"url":-1}', ["line 4", "is no id"]],
    ["an id that JavaScript rounds", '{"url":9007199254740993}', ["line 4", "is no id"]],
    ["an id of a list", '{"url":["a"]}', ["line 4", "is no id"]],
    ["a long id", `{"url":"${"ä".repeat(32_768)}"}`, ["line 4", "65536 bytes", "65535"]],
    ["an id twice", '{"url":"https://example.org/2"}', ["rows 2 and 3", '"https://example.org/2"', "one row each"], "duplicate-id"],
  ].map(([name, line, told, code = "input"]) => [`a payload with ${name}`, { "rows.npy": whole, "meta.jsonl": metaLines.replace(line4, `${line}\n`) }, code, told, { options: ["--payload", "meta.jsonl", "--id-field", "url"] }]),
  ["an empty cell for an id", { "rows.npy": whole, "meta.csv": `a,b\n${"x,1\n".repeat(5)},2\n${"x,1\n".repeat(ROWS - 6)}` }, "input", ["record 7", '"a"', "others: b"], { options: ["--payload", "meta.csv", "--id-field", "a"] }],
  ["a line without the id", { "plain.jsonl": lines.replace('"id":"w\u00e4\"29"', '"name":1').replace('{"id":"wä\\"29",', "{") }, "input", ["line 30", '"id"'], { options: ["--id-field", "id"] }],
  ["a text after numbers", { "some.jsonl": '{"n":1,"vector":[1,2]}\n{"n":"a","vector":[1,2]}\n' }, "input", ["line 2", "is a text, those of other rows are numbers"], { options: ["--id-field", "n"] }],
  ["one number twice in lines", { "some.jsonl": '{"n":1,"vector":[1,2]}\n{"n":2,"vector":[1,2]}\n{"n":1.0,"vector":[1,2]}\n' }, "duplicate-id", ["rows 0 and 2", "1 in the field"], { options: ["--id-field", "n"] }],
  ["ids of vectors alone", { "rows.npy": whole }, "usage", ["--id-field n", "--payload"], { options: ["--id-field", "n"] }],
  ["ids of lines that have some", { "plain.jsonl": '{"id":1,"n":1,"vector":[1,2]}\n' }, "usage", ["--id-field n", "have ids already"], { options: ["--id-field", "n"] }],
  ["ids twice", { "plain.jsonl": lines, "words.txt": words }, "usage", ["have ids already"], { options: ["--ids", "words.txt"] }],
  ["no ids file", { "rows.npy": whole }, "io", ["nowhere.txt", "No such file"], { options: ["--ids", "nowhere.txt"] }],
  ["a field that is misspelled", { "more.jsonl": linesOf(richer) }, "usage", ["--store titel: no row", "title, tags, more"], { options: ["--store", "more,titel"] }],
  ["a field where there are none", { "rows.npy": whole }, "usage", ["--store titel: no row", "--payload FILE"], { options: ["--store", "titel"] }],
  ["the vector as a field", { "more.jsonl": linesOf(richer) }, "usage", ['--store "vector"', "anyway"], { options: ["--store", "title,vector"] }],
  ["a field without a name", { "more.jsonl": linesOf(richer) }, "usage", ['--store ""'], { options: ["--store", "title,,more"] }],
  ["fields that are long", { "long.jsonl": lines.replace('"id":"wä\\"29"', `"id":"w","text":"${"y".repeat(65_525)}"`) }, "input", ["row 29", "65536 bytes", "65535", "--store"]],
  ["no payload file", { "rows.npy": whole }, "io", ["nowhere.jsonl", "No such file"], { options: ["--payload", "nowhere.jsonl"] }],
  ["a field beyond all numbers", { "huge.jsonl": '{"vector":[1,2],"n":-1e999}\n' }, "input", ["line 1", "number out of range"], { differs: true }],
  ...badPayloads,
  ["no schema file", { "typed.jsonl": linesOf(typed) }, "io", ["nowhere.json", "No such file"], { options: ["--schema", "nowhere.json"] }],
  ...[["an unknown type", '{"pos": "word"}', "keyword"], ["a list", "[]", "schema"], ["no JSON", "{pos: keyword}", "schema"], ["a type that is none", '{"pos": 3}', "pos"]].map(([name, text, word]) => [`a schema: ${name}`, { "typed.jsonl": linesOf(typed), "schema.json": text }, "argument", ["schema.json", word], { options: ["--schema", "schema.json"] }]),
  ["a value of another type than declared", { "typed.jsonl": linesOf(typed), "schema.json": '{"pos": "integer"}' }, "field", ["pos", "row 0"], { options: ["--schema", "schema.json"] }],
  ...badTables,
  ["queries of another length", { "rows.npy": whole, "q.npy": npyFile("<f4", "(2, 3)", Buffer.alloc(24, 1)) }, "usage", ["3 components, the input's 5"], { options: ["--tuning-queries", "q.npy"] }],
  ["too many parts", { "rows.npy": whole }, "argument", ["64 parts", "5 components", "pq5"], { options: ["--codec", "pq"] }],
  ["few links", { "rows.npy": whole }, "argument", ["m"], { options: ["-M", "1"] }],
  ["codes without finer rows", { "rows.npy": whole }, "usage", ["--refine none", "pq4"], { options: ["--codec", "pq4", "--refine", "none"] }],
  ["exact rows that are coarser", { "rows.npy": whole }, "argument", ["exact", "f32"], { options: ["--refine", "f32", "--exact", "f16"] }],
].map(([name, files, code, words, more = {}]) => ({ name, files, code, words, input: Object.keys(files)[0], options: [], ...more }));

/** Arguments that are refused before anything is read: the message is the same up to the usage. */
export const USAGE = [
  ["plan"],
  ["plan", "--rows", "5"],
  ["plan", "--rows=0", "--dim", "8", "--budget", "1MB"],
  ["plan", "--rows=-1", "--dim", "8", "--budget", "1MB"],
  ["plan", "--rows", "NaN", "--dim", "8", "--budget", "1MB"],
  ["plan", "--rows", "1.5", "--dim", "8", "--budget", "1MB"],
  ["plan", "--rows", "5", "--dim", "8", "--budget", "much"],
  ["plan", "--rows", "5", "--dim", "8", "--budget", "1MB", "more"],
  ["build"],
  ["build", "x.npy"],
  ["build", "x.npy", "y.npy", "-o", "out"],
  ["build", "--metrik", "l2", "x.npy", "-o", "out"],
  ["build", "x.npy", "-q", "-o", "out"],
  ["build", "x.npy", "-o", "out", "--ids"],
  ["build", "x.npy", "-o", "out", "-o", "other"],
  ["build", "x.npy", "-o", "out", "--metric", "hamming"],
  ["build", "x.npy", "-o", "out", "--codec", "quantum"],
  ["build", "x.npy", "-o", "out", "--refine", "sq4"],
  ["build", "x.npy", "-o", "out", "--exact", "sq8"],
  ["build", "x.npy", "-o", "out", "--ids-type", "text"],
  ["build", "x.npy", "-o", "out", "--ids", "a", "--ids-type", "tex"],
  ["build", "x.npy", "-o", "out", "--ids", "a", "--id-field", "b"],
  ["build", "x.npy", "-o", "out", "--limit", "0"],
  ["build", "x.npy", "-o", "out", "--limit", "many"],
  ["build", "x.npy", "-o", "out", "--threads", "0"],
  ["build", "x.npy", "-o", "out", "--parts=onl"],
  ["build", "x.npy", "-o", "out", "--no-graph=3"],
  ["build", "x.npy", "-o", "out", "--no-clusters", "--tuning-queries", "q.npy"],
  ["build", "x.npy", "-o", "out", "--store"],
  ["build", "x.npy", "-o", "out", "--store", "a", "--no-store"],
  ["build", "x.npy", "-o", "out", "--no-store", "--store", "a"],
  ["build", "x.npy", "-o", "out", "--no-store", "--payload", "p", "--store", "a"],
  ["build", "x.npy", "-o", "out", "--no-store", "--store", "a", "--payload", "p"],
  ["build", "x.npy", "-o", "out", "--no-store", "--schema", "s"],
  ["count"],
  ["count", "index", "--filter"],
  ["count", "index", "other"],
  ["facets", "index"],
  ["facets", "index", "a", "b"],
  ["search", "index"],
  ["search", "--fields", "index", "--id", "a"],
  ["search", "index", "--id", "a", "--vector", "1"],
  ["search", "index", "--id", "a", "--io", "read"],
  ["search", "index", "--id", "a", "--memory-budget", "64 M"],
  ["search", "index", "--id", "a", "--index", "graph"],
  ["eval", "index"],
  ["eval", "index", "--queries", "q", "--threads", "0"],
  ["eval", "index", "--queries", "q", "--ef", "1,x"],
  ["inspect"],
  ["verify", "index", "--jsn"],
  ["serve"],
  ["serve", ".", "--port", "70000"],
  ["serve", ".", "--host", "localhost"],
  ["frobnicate"],
];
