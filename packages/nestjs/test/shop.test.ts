/** The application that the docs show, with a real Redis. */
import { expect, test } from "@jest/globals";
import { NestFactory } from "@nestjs/core";
import { startServer } from "@redislock/test-kit";

test("the application of the docs locks its methods, skips what was done, and gives all back", async () => {
  const server = await startServer();
  process.env["REDIS_URL"] = server.url;
  try {
    const { AppModule, done, Orders } = await import("./shop.js");
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const orders = app.get(Orders);

    await Promise.all([orders.pay({ id: "1" }), orders.pay({ id: "1" })]);
    expect(done.splice(0)).toEqual(["charged 1 with number", "charged 1 with number"]);
    await server.command("SET", "order:2", "another", "PX", "60000");
    expect(await orders.isBeingPaid({ id: "2" })).toBe(true);
    expect(await orders.isBeingPaid({ id: "1" })).toBe(false);

    await Promise.all([orders.report(), orders.report()]);
    await orders.report();
    expect(done).toEqual(["report"]);
    expect(Number(await server.command("PTTL", "report"))).toBeGreaterThan(500_000);

    await app.close();
    expect(await server.command("EXISTS", "order:1")).toBe(0);
  } finally {
    await server.stop();
  }
});
