// The report for people.

const STEPS = { open: "open", first: "first query", second: "second query", late: "last ten" };

export function markdown({ date, commit, machine, quick, load, sets }) {
  const { cpu, cores, node, chromium } = machine;
  return [
    `# Over a shaped link, ${date}`,
    `${quick ? "A quick run, to try the program: few repetitions.\n\n" : ""}The npm package in Chromium ${chromium} and Node ${node} against \`tests/js/support/shaped.mjs\` on the same machine (${cpu}, ${cores} cores, shared), pagevec ${commit}. A request is answered one round trip after it arrived, the first of a connection two later (TCP, TLS); all answers share the bandwidth. Slow start, loss and the way up are not modelled. The page and the package come from elsewhere and are not counted, but for "a first visit": a page, the package's files as they are (gzip, not bundled), the index and one query, all over the same connection, until the hits are there.`,
    "Bytes (of bodies), requests and waves are means, as the server counted them; times are medians and include the work of server and client on this machine. Every run opens the index anew, over new connections, with other queries. HTTP/1.1: six connections in Chromium, as many as it likes in Node. Recall@10 is against the exact nearest rows.",
    `Load of the machine (1 min) before, and after each set: ${load.map((one) => one.toFixed(2)).join(", ")}. Where others were busy, times are too long; bytes, requests, waves and recall are the same.`,
    ...sets.map(section),
  ].join("\n\n").concat("\n");
}

function section(set) {
  const parts = [`## ${set.name}`, `${set.about} The segment has ${number(set.bytes)} bytes.`];
  for (const link of new Set(set.journeys.map(({ link }) => show(link)))) {
    const of = (list) => list.filter((one) => show(one.link) === link);
    parts.push(`### ${link}`, journeys(of(set.journeys), of(set.visits)));
  }
  if (set.budgets) parts.push("### Memory budgets", budgets(set.budgets));
  if (set.flat) parts.push("### Memory over many queries", flat(set.flat));
  return parts.join("\n\n");
}

function journeys(list, visits) {
  const cost = ({ bytes, requests, waves, milliseconds }) => [number(bytes), requests.toFixed(1), waves.toFixed(1), `${Math.round(milliseconds)} ms`];
  const rows = list.flatMap((journey) =>
    Object.entries(STEPS).map(([step, name]) => {
      const memory = { open: journey.memory.open, first: journey.memory.first, late: journey.memory.last }[step];
      return [journey.client, name, ...cost(journey[step]), memory ? mib(memory) : ""];
    }),
  );
  rows.push(...visits.map((visit) => [visit.client, "a first visit", ...cost(visit), ""]));
  const recalls = list.map(({ client, recall, searches, unequal }) => `${client} ${recall.toFixed(4)} over ${searches} searches${unequal ? ` (${unequal} of them counted otherwise by the package)` : ""}`);
  return `${table(["client", "step", "bytes", "requests", "waves", "time", "linear memory"], rows)}\n\nRecall@10: ${recalls.join("; ")}.`;
}

function budgets({ client, link, codes, queries, rows }) {
  const [full] = rows;
  const cells = rows.map(({ share, refused, memoryBudget, recall, all, later, evictions, linearMemory }) =>
    refused
      ? [percent(share), refused, "", "", "", "", "", ""]
      : [percent(share), mib(memoryBudget), recall.toFixed(4), number(all.bytes), number(later.bytes), later.waves.toFixed(2), ratio(later, full.later), `${number(evictions)} / ${mib(linearMemory)}`],
  );
  const head = ["of the codes", "budget", "recall@10", "bytes a query", "of the later half", "waves", "time", "evictions / linear memory"];
  return `${client}, ${show(link)}, ${queries} queries one after another; the codes have ${number(codes)} bytes. Time: the median of the later half as a ratio to that of the largest budget.\n\n${table(head, cells)}`;
}

function flat(clients) {
  const rows = Object.entries(clients).map(([client, { queries, memoryBudget, memory, resident, evictions, bytes, holds }]) => [
    client,
    number(queries),
    mib(memoryBudget),
    mib(memory.open),
    mib(memory.early),
    mib(memory.late),
    mib(resident),
    number(evictions),
    number(bytes),
    holds ? "yes" : "NO",
  ]);
  const head = ["client", "queries", "budget", "linear memory at open", "after a tenth", "after all", "held of the file", "evictions", "bytes a query", "flat, ≤ 32 MiB"];
  return table(head, rows);
}

const table = (head, rows) => [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
const show = ({ rtt, mbit }) => `${rtt} ms, ${mbit} Mbit/s`;
const number = (value) => Math.round(value).toLocaleString("en-US");
const percent = (share) => `${Math.round(share * 100)} %`;
const mib = (bytes) => `${(bytes / 1048576).toFixed(1)} MiB`;
const ratio = (own, full) => (own.milliseconds / full.milliseconds).toFixed(2);
