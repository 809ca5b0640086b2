/**
 * Checks of pages by html-validate, pa11y and Lighthouse, for a test in another language: one
 * request a line on standard input, `{"check": "html" | "pa11y" | "lighthouse", …}`, one answer a
 * line on standard output, in the same order.
 *
 * Usage: node checkers.mjs DEBUGGING_PORT, the port of a Chromium that runs.
 */
import { createInterface } from "node:readline";
import { HtmlValidate } from "html-validate";
import lighthouse, { desktopConfig } from "lighthouse";
import pa11y from "pa11y";
import puppeteer from "puppeteer-core";

const MOST_LOOKS = 5;
// What the pages are judged with: the stack on this machine takes as long when nothing else runs,
// and ten times that on a busy one, which says nothing of a page.
const SERVER_MS = 50;
// By how much Lighthouse makes this machine slower to stand for a phone, and how fast such a phone
// is on the same scale: the low-tier one of Chrome's own calibration
// (devtools-frontend, panels/mobile_throttling/CalibrationController.ts).
const MOST_SLOWDOWN = 4;
const PHONE_INDEX = 264;
const port = Number(process.argv[2]);
const source = new HtmlValidate({ extends: ["html-validate:recommended"], rules: { "long-title": "off" } });
// A browser writes its document in its own style: what is left to judge is the document itself.
const rendered = new HtmlValidate({
  extends: ["html-validate:document", "html-validate:a11y", "html-validate:standard"],
  rules: { "long-title": "off", "no-trailing-whitespace": "off", "require-sri": "off" },
});

/** @type {Promise<import("puppeteer-core").Browser> | undefined} */
let connection;

/** @param {string} target the id that the DevTools protocol gives to the page */
async function pageOf(target) {
  connection ??= puppeteer.connect({ browserURL: `http://127.0.0.1:${port}`, defaultViewport: null });
  const browser = await connection;
  const found = await browser.waitForTarget(async (candidate) => (await idOf(candidate)) === target, {
    timeout: 60_000,
  });
  const page = await found.page();
  if (!page) throw new Error(`target ${target} is not a page`);
  return { browser, page };
}

/** @param {import("puppeteer-core").Target} candidate */
async function idOf(candidate) {
  if (candidate.type() !== "page") return "";
  const session = await candidate.createCDPSession();
  const { targetInfo } = await session.send("Target.getTargetInfo");
  await session.detach();
  return targetInfo.targetId;
}

const CHECKS = {
  /** @param {{markup: string, rendered: boolean}} request */
  async html({ markup, rendered: isRendered }) {
    const report = await (isRendered ? rendered : source).validateString(markup);
    return report.results.flatMap((result) =>
      result.messages.map(({ line, column, ruleId, message }) => `${line}:${column} ${ruleId}: ${message}`),
    );
  },

  /** @param {{target: string}} request */
  async pa11y({ target }) {
    const { browser, page } = await pageOf(target);
    // The window is as wide as the test has made it: a size set here would outlast the test.
    page.setViewport = async () => {};
    const report = await pa11y(page.url(), {
      browser,
      page,
      // None of its own, for the same reason.
      userAgent: "",
      ignoreUrl: true,
      standard: "WCAG2AA",
      timeout: 60_000,
    });
    return report.issues.map(({ code, message, context }) => `${code}: ${message} ${context}`);
  },

  /** @param {{url: string, target: string, desktop: boolean, slowdown: number}} request */
  async lighthouse({ url, target, desktop, slowdown }) {
    const { page } = await pageOf(target);
    const flags = {
      onlyCategories: ["accessibility", "best-practices", "performance"],
      // Neither counts in a score, and both wait for seconds.
      skipAudits: ["bf-cache"],
      // The page of missing pages has their status.
      ignoreStatusCode: true,
      disableFullPageScreenshot: true,
      precomputedLanternData: {
        additionalRttByOrigin: { [new URL(url).origin]: 0 },
        serverResponseTimeByOrigin: { [new URL(url).origin]: SERVER_MS },
      },
      logLevel: "error",
      port,
      ...(desktop ? {} : { throttling: { cpuSlowdownMultiplier: slowdown } }),
    };
    const look = async () => (await lighthouse(url, flags, desktop ? desktopConfig : undefined, page)).lhr;
    let lhr = await look();
    // A trace without its beginning, on a busy machine: Lighthouse itself says to run it again.
    for (let again = 1; again < MOST_LOOKS && lhr.runtimeError?.message.includes("run Lighthouse again"); again += 1) {
      lhr = await look();
    }
    if (lhr.runtimeError) throw new Error(`${lhr.runtimeError.code}: ${lhr.runtimeError.message}`);
    const weak = Object.values(lhr.audits).filter(({ score }) => score !== null && score < 0.9);
    return {
      scores: Object.fromEntries(Object.values(lhr.categories).map(({ id, score }) => [id, score])),
      slowdown: Math.min(MOST_SLOWDOWN, Math.max(1, lhr.environment.benchmarkIndex / PHONE_INDEX)),
      weak: weak.map(({ id, displayValue }) => `${id} ${displayValue ?? ""}`.trim()),
    };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { check, ...request } = JSON.parse(line);
  let answer;
  try {
    answer = { result: await CHECKS[check](request) };
  } catch (fault) {
    answer = { fault: String(fault) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await (await connection)?.disconnect();
