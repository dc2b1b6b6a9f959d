// load, time and drip for BullMQ: see benchmarks/adding.py.
import { Queue } from "bullmq";
import { connect, now, QUEUE } from "./common.mjs";

const [verb, kind, ...numbers] = process.argv.slice(2);
const [count, more] = numbers.map(Number);
const queue = new Queue(QUEUE, { connection: connect() });

function add(from, many) {
  if (many === 1) return queue.add(kind, { n: from });
  return queue.addBulk(Array.from({ length: many }, (_, place) => ({ name: kind, data: { n: from + place } })));
}

const verbs = {
  async load() {
    for (let from = 0; from < count; from += 1000) await add(from, Math.min(1000, count - from));
    return { loaded: count };
  },
  async time() {
    let spent = 0;
    for (let from = -20 * more; from < count; from += more) {
      const began = performance.now();
      await add(from, more);
      if (from >= 0) spent += performance.now() - began;
    }
    return { us: (spent * 1000) / (Math.ceil(count / more) * more) };
  },
  async drip() {
    const asked = [];
    for (let n = 0; n < count; n++) {
      await new Promise((done) => setTimeout(done, more * 1000 * (0.5 + Math.random())));
      asked.push(now());
      await add(n, 1);
    }
    return { asked };
  },
};

console.log(JSON.stringify(await verbs[verb]()));
await queue.close();
process.exit(0);
