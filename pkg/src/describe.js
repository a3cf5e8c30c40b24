// What messages call a value that users passed, and what to do about it. Messages never show its content.

/**
 * Whether a value is of a built-in class. Test environments such as jsdom run scripts in another realm than Node's own modules,
 * whose objects are no instances of the classes that the scripts see.
 * @param {unknown} value
 * @param {string} name of the class
 */
export function isA(value, name) {
  return Object.prototype.toString.call(value) === `[object ${name}]`;
}

/**
 * Whether these are the bytes of a file of numpy.
 * @param {unknown} value
 */
export function isNpy(value) {
  const bytes = isA(value, "ArrayBuffer") ? new Uint8Array(/** @type {ArrayBuffer} */ (value).slice(0, 6)) : value;
  return isBytes(bytes) && bytes[0] === 0x93 && String.fromCharCode(...bytes.subarray(1, 6)) === "NUMPY";
}

/**
 * @template T
 * @param {T} value
 * @returns {value is T & Uint8Array}
 */
export function isBytes(value) {
  return isA(value, "Uint8Array");
}

/**
 * @param {unknown} value
 * @returns {string} for example "a Promise"
 */
export function describe(value) {
  if (value === null || value === undefined) return String(value);
  if (isNpy(value)) return "the bytes of a .npy file";
  if (isPromise(value)) return "a Promise";
  if (isTensor(value)) return "a tensor";
  if (Array.isArray(value)) return "an array";
  if (typeof value !== "object") return `a ${typeof value}`;
  const name = /** @type {{ constructor?: { name?: unknown } }} */ (value).constructor?.name;
  return typeof name === "string" && name !== "Object" ? `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}` : "an object";
}

/**
 * @param {unknown} value passed in the place of vectors
 * @param {string} name
 * @returns {string} what to do about it; empty if that is not known
 */
export function hintFor(value, name) {
  if (isPromise(value)) return ": await it first";
  if (typeof value === "string") return name === "vector" ? ": pass { text }, and give `embed` to open()" : ": pagevec makes no vectors of texts; pass what your model makes of it";
  if (isNpy(value)) return ": read its header and pass the numbers behind it as a Float32Array, or build with the command line (`pagevec build`)";
  if (isTensor(value)) return `: pass its numbers (${typeof (/** @type {{ data: unknown }} */ (value).data) === "function" ? "await tensor.data()" : "tensor.data"})`;
  if (isA(value, "ArrayBuffer")) return `: pass new Float32Array(${name === "vector" ? "vector" : "buffer"})`;
  return "";
}

/** @param {unknown} value */
export function isPromise(value) {
  return typeof (/** @type {{ then?: unknown }} */ (Object(value)).then) === "function";
}

/**
 * Whether it is a tensor, as the libraries that run models have them: numbers in `data`, and a shape.
 * @param {unknown} value
 */
export function isTensor(value) {
  const { data, dims, shape } = /** @type {{ data?: unknown, dims?: unknown, shape?: unknown }} */ (Object(value));
  return (ArrayBuffer.isView(data) || typeof data === "function") && (Array.isArray(dims) || Array.isArray(shape));
}
