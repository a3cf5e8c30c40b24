// Rows with fields of all types, filters over them, and which rows match by the definition in docs/filters.md: values against values,
// without an index.

const COLOURS = ["red", "green", "blue", "größe", "日本", ""];
/** Metres of the sphere's radius. */
const RADIUS = 6_371_008.8;

/** Whole numbers below `limit`, the same for everyone. */
export function randomOf(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** The fields of so many rows. Some are missing, null or empty arrays; some have several values. */
export function rowsOf(count, seed) {
  const random = randomOf(seed);
  return Array.from({ length: count }, (_, number) => {
    const keep = () => random(8) > 0;
    return {
      colour: COLOURS[Math.min(random(6), random(6))],
      ...(keep() && { tags: Array.from({ length: random(4) }, () => `tag${random(40)}`) }),
      size: keep() ? random(100) - 50 : null,
      // Halves are exact.
      ...(keep() && { price: random(2000) / 2 - 100 }),
      ...(random(10) === 0 && { scores: Array.from({ length: random(3) }, () => random(50)) }),
      ...(keep() && { stock: random(3) > 0 }),
      ...(keep() && { at: new Date(Date.UTC(2026, random(12), random(28), random(24), 30)) }),
      // Around the antimeridian, the poles, and elsewhere.
      ...(keep() && { place: { lat: [0, 89.4, -89.4, 50][random(4)] + random(100) / 200, lon: [-180, 179.8, 0, 9][random(4)] + random(20) / 200 } }),
      ...(number % 97 === 0 && { rare: `rare ${number / 97}` }),
    };
  });
}

/** A filter: of one field, or of several combined. */
export function filterOf(random, depth = 2) {
  const several = () => Array.from({ length: random(3) + 1 }, () => filterOf(random, depth - 1));
  const bound = () => random(120) - 60;
  const pick = (...all) => all[random(all.length)];
  const day = () => new Date(Date.UTC(2026, random(12), random(28)));
  switch (random(depth === 0 ? 12 : 17)) {
    case 0: return { colour: COLOURS[random(6)] };
    case 1: return { colour: { $in: [COLOURS[random(6)], COLOURS[random(6)], "none"] } };
    case 2: return { tags: `tag${random(45)}` };
    case 3: return { tags: { $ne: `tag${random(45)}` } };
    case 4: { const from = bound(); return { size: { $gte: from, $lt: from + random(60) } }; }
    case 5: return { price: { [pick("$lt", "$lte", "$gt", "$gte")]: random(2200) / 2 - 150 } };
    case 6: return { stock: random(2) === 0 };
    case 7: return { at: { $gte: day(), $lt: pick(day(), day().getTime(), day().toISOString()) } };
    case 8: return { place: { $geo: { lat: pick(0, 89.5, -89.5, 50), lon: pick(-179.9, 179.9, 0, 9), radius: 1000 * (1 + random(80)) } } };
    case 9: return { place: { $geo: { ...pick({ south: -90, north: 0.3 }, { south: -0.2, north: 50.1 }, { south: 49, north: 90 }), west: 179.85, east: -179.9 } } };
    case 10: return { [pick("tags", "size", "rare", "scores")]: { $exists: random(2) === 0 } };
    case 11: return { tags: { $nin: [`tag${random(40)}`, `tag${random(40)}`] }, size: { $ne: bound() } };
    case 12: return { $and: several() };
    case 13: return { $or: several() };
    case 14: return { $not: filterOf(random, depth - 1) };
    case 15: return { scores: { $gt: random(50), $lt: random(50) } };
    default: return { rare: { $in: [`rare ${random(20)}`, "rare 3"] } };
  }
}

/** Whether a row matches. */
export function matches(filter, row) {
  return Object.entries(filter).every(([key, value]) => {
    if (key === "$and") return value.every((each) => matches(each, row));
    if (key === "$or") return value.some((each) => matches(each, row));
    if (key === "$not") return !matches(value, row);
    const values = valuesOf(row[key]);
    if (typeof value !== "object" || value instanceof Date) return values.some((one) => same(one, value));
    const bounds = Object.entries(value).filter(([op]) => op in BOUNDS);
    // One value lies within all bounds.
    return (bounds.length === 0 || values.some((one) => bounds.every(([op, bound]) => BOUNDS[op](order(one), order(bound))))) && Object.entries(value).every(([op, operand]) => op in BOUNDS || passes(op, operand, values));
  });
}

const BOUNDS = { $lt: (a, b) => a < b, $lte: (a, b) => a <= b, $gt: (a, b) => a > b, $gte: (a, b) => a >= b };

function passes(op, operand, values) {
  const isIn = (one) => values.some((value) => same(value, one));
  switch (op) {
    case "$eq": return isIn(operand);
    case "$ne": return !isIn(operand);
    case "$in": return operand.some(isIn);
    case "$nin": return !operand.some(isIn);
    case "$exists": return operand === values.length > 0;
    case "$geo": return values.some((value) => isInside(operand, value));
    default: throw new Error(op);
  }
}

/** The values that a row has: none where the field is missing, null or empty. */
export function valuesOf(value) {
  return [value ?? []].flat().filter((one) => one !== null);
}

const same = (a, b) => order(a) === order(b);
/** A point in time in milliseconds; also where it is a text. */
const order = (value) => (value instanceof Date ? value.getTime() : typeof value === "string" && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : value);

function isInside({ radius, lat, lon, north, south, east, west }, point) {
  if (radius === undefined) return point.lat >= south && point.lat <= north && (west <= east ? point.lon >= west && point.lon <= east : point.lon >= west || point.lon <= east);
  const radians = (degrees) => (degrees * Math.PI) / 180;
  const [a, b] = [radians(lat), radians(point.lat)];
  const h = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(radians(point.lon - lon) / 2) ** 2;
  return 2 * RADIUS * Math.asin(Math.min(1, Math.sqrt(h))) <= radius;
}

/** The rows of each value of a field, as `facets` gives them. */
export function facetsOf(rows, name) {
  const counts = new Map();
  for (const row of rows) for (const value of new Set(valuesOf(row[name]).map((one) => (one instanceof Date ? one.toISOString() : one)))) counts.set(value, (counts.get(value) ?? 0) + 1);
  const before = (a, b) => (typeof a === "string" ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a - b);
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count || before(a.value, b.value));
}
