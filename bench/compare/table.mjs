// Medians of the rounds in a directory, both servers side by side, and their ratios.
//
// Usage: node table.mjs DIRECTORY

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const directory = process.argv[2];
const rounds = (name) =>
  readdirSync(directory)
    .filter((file) => file.startsWith(`${name}-`) && file.endsWith('.json'))
    .map((file) => {
      const text = readFileSync(join(directory, file), 'utf8');
      if (text.trim() === '') throw new Error(`${file} is empty: that measurement was not made`);
      return JSON.parse(text);
    });

const median = (values) => {
  const sorted = values.filter((value) => value != null).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const upper = sorted[sorted.length >> 1];
  return sorted.length % 2 ? upper : (upper + sorted[(sorted.length >> 1) - 1]) / 2;
};

const jeton = rounds('jeton');
const peer = rounds('peer');
const key = (cell) => `${cell.operation} ${cell.connections}`;
const figure = (reports, cell, read) =>
  median(
    reports
      .flatMap((report) => report.cells)
      .filter((other) => key(other) === key(cell))
      .map((other) => read(other.median)),
  );

const whole = (value) => (value === undefined ? '-' : Math.round(value).toString());
const milliseconds = (micros) => (micros === undefined ? '-' : (micros / 1000).toFixed(2));
const megabytes = (bytes) => (bytes === undefined ? '-' : (bytes / 1e6).toFixed(0));
const ratio = (ours, theirs) => (ours && theirs ? `${(ours / theirs).toFixed(1)}x` : '-');

const lines = [
  [
    'operation', 'connections',
    'req/CPU-s jeton', 'peer', 'ratio',
    'req/s jeton', 'peer', 'ratio',
    'p99 ms jeton', 'peer',
    'RSS MB jeton', 'peer',
    'errors',
  ],
];
let errors = 0;
for (const cell of jeton[0].cells) {
  const both = (read) => [figure(jeton, cell, read), figure(peer, cell, read)];
  const perCpu = both((median) => median.requests_per_cpu_second);
  const perSecond = both((median) => median.requests_per_second);
  const wrong = [...jeton, ...peer]
    .flatMap((report) => report.cells)
    .filter((other) => key(other) === key(cell))
    .reduce((sum, other) => sum + other.median.errors, 0);
  errors += wrong;
  lines.push([
    cell.operation, String(cell.connections),
    ...perCpu.map(whole), ratio(...perCpu),
    ...perSecond.map(whole), ratio(...perSecond),
    ...both((median) => median.p99).map(milliseconds),
    ...both((median) => median.resident).map(megabytes),
    String(wrong),
  ]);
}

const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
for (const line of lines) {
  const cells = line.map((cell, column) =>
    column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
  );
  console.log(cells.join('  '));
}

const startup = (reports) => median(reports.map((report) => report.startup?.again_milliseconds));
const idle = (reports) => median(reports.map((report) => report.idle_resident));
console.log(`\nrounds: ${jeton.length} of jeton, ${peer.length} of the peer (node-oidc-provider, Node ${process.version})`);
console.log(`start to first answer: ${milliseconds(startup(jeton) * 1000)} ms, peer ${milliseconds(startup(peer) * 1000)} ms`);
console.log(`RSS before load: ${megabytes(idle(jeton))} MB, peer ${megabytes(idle(peer))} MB`);
if (errors > 0) {
  console.log(`\n${errors} answers were wrong: these figures are not of two working servers`);
  process.exitCode = 1;
}
