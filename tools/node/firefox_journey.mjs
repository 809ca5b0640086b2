/**
 * A reissue by SMS in Firefox, from the address to signing out, with the keyboard on a narrow
 * screen.
 *
 * `firefox_journey.mjs FIREFOX ORIGIN EMAIL NUMEN PHONE` prints what it saw as a line of JSON, or
 * exits with 1 and says what is wrong.
 */
import { setTimeout as pause } from "node:timers/promises";
import puppeteer from "puppeteer-core";

const SCREEN = { width: 320, height: 640 };
// The first call of each function starts it, on a machine that may be busy.
const PAGE_MS = 60_000;
const MESSAGE_MS = 120_000;
const START_MS = 120_000;
const LOOK_MS = 50;
const MOST_TABS = 60;
const TRACKING = "nav a[href='/suivi.html']";

const [executablePath, origin, email, numen, phone] = process.argv.slice(2);
const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath,
  defaultViewport: SCREEN,
  timeout: START_MS,
});
const page = await browser.newPage();
page.setDefaultTimeout(PAGE_MS);
/** @type {string[]} */
const faults = [];
// What the security policy refuses is an error of the page, too.
page.on("pageerror", (error) => faults.push(String(error)));
page.on("console", (line) => line.type() === "error" && faults.push(line.text()));
try {
  const facts = await play();
  check(faults.length === 0, "scripts failed, or the security policy refused something");
  console.log(JSON.stringify({ userAgent: await browser.userAgent(), ...facts }));
} catch (fault) {
  console.error([fault, ...faults].map(String).join("\n"));
  process.exitCode = 1;
} finally {
  await browser.close();
}

async function play() {
  await page.goto(`${origin}/connexion.html`);
  await page.keyboard.press("Tab");
  check(await hasFocus("a.skip"), "the first stop does not skip to the content");
  await arriveAt("Votre adresse professionnelle");
  await textOf("#helpdesk-state", /^(Ouverte|Fermée) maintenant/);
  await type("#email", email);
  await page.keyboard.press("Enter");

  await arriveAt("Le code reçu par courriel");
  await type("#code", await receiveCode());
  await page.keyboard.press("Enter");

  await arriveAt("Vos renseignements");
  await activate("#request-form [type=submit]");
  await textOf("#errors:focus", /NUMEN.*mobile.*SMS.*identifiant/);
  await arriveAt("Vos renseignements");
  await type("#numen", numen);
  await type("#phone", phone);
  await tabTo("#channel-sms");
  await page.keyboard.press(" ");
  await tabTo("#consent");
  await page.keyboard.press(" ");
  await page.keyboard.press("Enter");

  await arriveAt("Vérifiez votre demande");
  await textOf("#review-channel", /^Par SMS/);
  await activate("#review-form [type=submit]");

  await arriveAt("Suivi de votre demande");
  const receipt = await textOf("#receipt-title");
  const reference = await textOf("#reference");
  const status = await textOf("#status", /^Envoyé$/);
  await arriveAt("Suivi de votre demande");

  const context = page.browserContext();
  const session = await context.cookies();
  await context.deleteCookie(...session);
  await openTrackingSignedOut();
  await context.setCookie(...session);
  await page.click(TRACKING);
  await textOf("#reference");
  await activate("#sign-out");
  await textOf("#notice:focus", /^Vous avez quitté votre session/);
  await openTrackingSignedOut();
  return { receipt, reference, status };
}

/** Open the status page without a session: the API refuses, and the page asks to sign in. */
async function openTrackingSignedOut() {
  const refused = page.waitForResponse((answer) => answer.url() === `${origin}/api/reissue` && answer.status() === 401);
  await Promise.all([refused, page.click(TRACKING)]);
  await textOf("#notice:focus", /Identifiez-vous pour continuer/);
  await arriveAt("Votre adresse professionnelle");
}

/**
 * Wait for a step, and look whether it fits on the screen.
 * @param {string} title
 */
async function arriveAt(title) {
  await textOf("h1", new RegExp(`^${title}$`));
  const [shown, whole] = await page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    return [clientWidth, scrollWidth];
  });
  check(shown <= SCREEN.width && whole <= shown, `“${title}” is ${whole} px wide, of which ${shown} px are shown`);
}

/**
 * Wait for an element to show a text. Puppeteer's own waits (`waitForFunction`, `waitForSelector`,
 * locators) look from within, with a function that they make of its text there: the page's security
 * policy forbids that, and does not count for what is asked from here.
 * @param {string} selector
 * @param {RegExp} pattern
 * @returns {Promise<string>} the whole text, with plain spaces
 */
async function textOf(selector, pattern = /./) {
  const deadline = Date.now() + PAGE_MS;
  let cause;
  do {
    try {
      const text = await page.evaluate((wanted) => {
        const element = /** @type {HTMLElement | null} */ (document.querySelector(wanted));
        return element?.checkVisibility() ? element.innerText.replace(/\s+/g, " ").trim() : "";
      }, selector);
      if (pattern.test(text)) return text;
      cause = undefined;
    } catch (fault) {
      // The page was left in between: the next look is at the one that follows.
      cause = fault;
    }
    await pause(LOOK_MS);
  } while (Date.now() < deadline);
  const shown = await page.$eval("body", (body) => body.innerText).catch(() => "");
  throw new Error(`${selector} does not show ${pattern} at ${page.url()}, where it says:\n${shown}`, { cause });
}

async function receiveCode() {
  const deadline = Date.now() + MESSAGE_MS;
  while (Date.now() < deadline) {
    const answer = await fetch(`${origin}/_local/messages`);
    /** @type {{to: string, text: string}[]} */
    const messages = await answer.json();
    const code = messages.findLast(({ to }) => to === email)?.text.match(/\b\d{6}\b/);
    if (code) return code[0];
    await pause(200);
  }
  throw new Error(`no code within ${MESSAGE_MS / 1000} s`);
}

/**
 * @param {string} selector
 * @param {string} text
 */
async function type(selector, text) {
  await tabTo(selector);
  await page.keyboard.type(text);
}

/** @param {string} selector of a link or a button */
async function activate(selector) {
  await tabTo(selector);
  await page.keyboard.press("Enter");
}

/** @param {string} selector */
async function tabTo(selector) {
  for (let tabs = 0; tabs < MOST_TABS; tabs += 1) {
    await page.keyboard.press("Tab");
    if (await hasFocus(selector)) return;
  }
  throw new Error(`${selector} cannot be reached with Tab at ${page.url()}`);
}

/**
 * Whether the next key goes to that element. When Tab has left the page, the element keeps the
 * focus but gets no keys.
 * @param {string} selector
 */
function hasFocus(selector) {
  return page.evaluate((wanted) => document.hasFocus() && !!document.activeElement?.matches(wanted), selector);
}

/**
 * @param {boolean} holds
 * @param {string} otherwise
 */
function check(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}
