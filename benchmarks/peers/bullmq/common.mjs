// Connection and queue name, as the harness gives them.
import IORedis from "ioredis";

export const connect = () => new IORedis(process.env.PEER_REDIS, { maxRetriesPerRequest: null });
export const QUEUE = "peer";
export const now = () => (performance.timeOrigin + performance.now()) / 1000;
