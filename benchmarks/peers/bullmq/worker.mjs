// A BullMQ worker that runs BENCH_CONCURRENCY jobs at once in one process. Each run leaves a mark (benchmarks/marks.py).
import fs from "node:fs";
import { Worker } from "bullmq";
import { connect, now, QUEUE } from "./common.mjs";

const marks = fs.openSync(process.env.BENCH_MARKS, "a", 0o600);
const slot = BigInt(process.env.BENCH_SLOT ?? "0");

function mark(n) {
  const bytes = Buffer.alloc(24);
  bytes.writeBigInt64LE(BigInt(n), 0);
  bytes.writeDoubleLE(now(), 8);
  bytes.writeBigInt64LE(slot, 16);
  fs.writeSync(marks, bytes);
}

async function run(job) {
  if (job.name === "nap") await new Promise((done) => setTimeout(done, 20));
  mark(job.data.n);
}

const worker = new Worker(QUEUE, run, { connection: connect(), concurrency: Number(process.env.BENCH_CONCURRENCY) });
worker.on("error", (error) => console.error(error));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => worker.close().then(() => process.exit(0)));
