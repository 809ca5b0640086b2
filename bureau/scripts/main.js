/** The page: takes the files, checks them, and says in words what was found. Nothing leaves it. */
import { hex, sha256 } from "./bytes.js";
import { publicKeyOf } from "./keys.js";
import { headerOf, linesOf } from "./lines.js";
import { checkRegister, firstDeparture } from "./verification.js";

/** @typedef {import("./verification.js").Broken} Broken */
/** @typedef {import("./verification.js").Finding} Finding */

const HELPDESK_NAME = /\.helpdesk\.jsonl$/i;
const KEY_NAME = /\.(pem|pub|key)$/i;
const FINGERPRINT = /^[0-9a-f]{64}$/;
const INPUTS = ["register", "key", "earlier", "helpdesk"];

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} id */
function input(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/** @param {string} id */
function fileOf(id) {
  return input(id).files?.[0] ?? null;
}

/** The spaces that French has before its signs. @param {string} text */
function typeset(text) {
  return text
    .replace(/ ([;!?])/g, "\u202f$1")
    .replace(/ ([:»])/g, "\u00a0$1")
    .replace(/« /g, "«\u00a0");
}

/**
 * @param {string} tag
 * @param {...(Node | string)} children
 */
function make(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children.map((child) => (typeof child === "string" ? typeset(child) : child)));
  return made;
}

/** @param {Record<string, string>} faults what is wrong, by input; none shows that all is right */
function showFieldFaults(faults) {
  for (const id of ["register", "key", "fingerprint", "earlier", "helpdesk"]) {
    const message = faults[id] ?? "";
    byId(`${id}-error`).textContent = typeset(message);
    byId(`${id}-error`).hidden = message === "";
    if (message) input(id).setAttribute("aria-invalid", "true");
    else input(id).removeAttribute("aria-invalid");
  }
  const first = Object.keys(faults)[0];
  if (first) {
    byId("optional").toggleAttribute(
      "open",
      byId("optional").hasAttribute("open") || ["earlier", "helpdesk"].includes(first),
    );
    input(first).focus();
  }
}

/** Put what was dropped where it belongs, by what it is. @param {File[]} files */
async function sort(files) {
  const registers = [];
  for (const file of files) {
    if (KEY_NAME.test(file.name)) give("key", file);
    else if (HELPDESK_NAME.test(file.name)) give("helpdesk", file);
    else registers.push({ file, startedAt: await startedAt(file) });
  }
  registers.sort((one, other) => (one.startedAt < other.startedAt ? 1 : -1));
  const [latest, earlier] = registers;
  if (latest) give("register", latest.file);
  if (earlier) give("earlier", earlier.file);
  forget();
}

/** @param {File} file */
async function startedAt(file) {
  for await (const lines of linesOf(file.slice(0, 4096))) return headerOf(lines[0].content)?.started_at ?? "";
  return "";
}

/**
 * @param {string} id
 * @param {File} file
 */
function give(id, file) {
  const list = new DataTransfer();
  list.items.add(file);
  input(id).files = list.files;
  if (id === "earlier" || id === "helpdesk") byId("optional").setAttribute("open", "");
}

// How often something else was chosen: a check of what was chosen before shows nothing.
let chosen = 0;

/** What was found before is not what would be found now. */
function forget() {
  chosen += 1;
  byId("result").hidden = true;
  byId("busy").hidden = true;
}

async function check() {
  forget();
  showFieldFaults({});
  const now = chosen;
  const [register, keyFile, earlier, helpdesk] = INPUTS.map(fileOf);
  const typed = input("fingerprint").value.replace(/[\s:]/g, "").toLowerCase();
  /** @type {Record<string, string>} */
  const faults = {};
  if (!register) faults.register = "Choisissez le fichier du registre.";
  const key = keyFile && (await publicKeyOf(await keyFile.text()));
  if (!keyFile) faults.key = "Choisissez la clé publique du bureau.";
  else if (!key) faults.key = "Ce fichier n’est pas la clé publique d’un registre (format PEM, courbe P-256).";
  if (typed && !FINGERPRINT.test(typed)) {
    faults.fingerprint = `Une empreinte a 64 signes, chiffres et lettres de a à f ; celle-ci en a ${typed.length}.`;
  }
  if (now !== chosen) return;
  if (!register || !key || Object.keys(faults).length) {
    showFieldFaults(faults);
    return;
  }
  byId("busy").hidden = false;
  const bar = /** @type {HTMLProgressElement} */ (byId("bar"));
  bar.max = register.size + (earlier?.size ?? 0);
  bar.value = 0;
  const advance = (/** @type {number} */ bytes) => {
    bar.value += bytes;
  };
  const finding = await checkRegister(register, key, advance);
  if (
    helpdesk &&
    finding.statement &&
    hex(await sha256(new Uint8Array(await helpdesk.arrayBuffer()))) !== finding.statement.helpdesk_sha256
  ) {
    finding.faults.push("Les fins de chaînes de l’assistance ne sont pas celles qui ont été signées.");
  }
  if (typed && typed !== key.sha256) {
    finding.faults.push(`La clé donnée n’est pas celle du procès-verbal : son empreinte est ${key.sha256}.`);
  }
  if (earlier && finding.holds) await compare(earlier, register);
  if (now !== chosen) return;
  byId("busy").hidden = true;
  show(finding, { compared: typed !== "", earlier: earlier !== null, helpdesk: helpdesk !== null, sha256: key.sha256 });

  /**
   * @param {File} before
   * @param {File} later
   */
  async function compare(before, later) {
    if (!key) return;
    if (!(await checkRegister(before, key, advance)).holds) {
      finding.faults.push("L’export antérieur n’est pas entier : vérifiez-le d’abord seul.");
      return;
    }
    const departure = await firstDeparture(before, later);
    if (departure === "other-stack") finding.faults.push("L’export antérieur est celui d’un autre service.");
    else if (departure) finding.faults.push(`Export antérieur : ${placed(departure)}.`);
  }
}

/** @param {Broken} broken */
function placed({ line, voterId, sequence, why }) {
  const whose = voterId === "election" ? "election" : `électeur ${voterId}`;
  const place = [`ligne ${line}`, ...(voterId ? [whose] : []), ...(sequence ? [`entrée ${sequence}`] : [])];
  return `${place.join(", ")} : ${why}`;
}

/**
 * @param {Finding} finding
 * @param {{compared: boolean, earlier: boolean, helpdesk: boolean, sha256: string}} given
 */
function show(finding, given) {
  const { statement, counted } = finding;
  const verdict = finding.holds ? "Le registre est entier" : "Le registre n’est PAS entier";
  const faults = [
    ...(finding.broken ? [`Première ligne en cause : ${placed(finding.broken)}.`] : []),
    ...finding.faults,
  ];
  const lines = [];
  if (finding.holds) {
    lines.push(make("p", "Il est tel qu’il a été signé, chaque chaîne est complète et les comptes sont équilibrés."));
  } else {
    const list = make("ul", ...faults.map((fault) => make("li", fault)));
    list.id = "faults";
    lines.push(make("p", "Ne le signez pas. Gardez ce fichier et demandez un nouvel export."), list);
  }
  if (!given.compared) {
    lines.push(
      make(
        "p",
        "L’empreinte de la clé n’a pas été comparée : comparez celle affichée ci-dessous à celle du procès-verbal.",
      ),
    );
  }
  byId("verdict").textContent = typeset(verdict);
  byId("summary").className = finding.holds ? "panel panel-success" : "panel panel-error";
  byId("lines").replaceChildren(...lines);
  const states = [
    `${counted.active} valables`,
    `${counted.revoked} remplacés`,
    `${counted.used} utilisés`,
    `${counted.frozen} gelés`,
  ];
  const equation = `${counted.issued} émis ${finding.balances ? "=" : "≠"} ${states.join(" + ")}`;
  const facts = [
    ["Scrutin", statement ? `${statement.election}, service ${statement.stack}` : "inconnu"],
    ["Lecture", statement ? `du ${statement.started_at} au ${statement.finished_at} (UTC)` : "inconnue"],
    ["Électeurs", counted.removed ? `${counted.voters}, dont ${counted.removed} radiés` : String(counted.voters)],
    ["Écritures", String(counted.entries)],
    ["Identifiants", equation],
    ["Racine signée", statement?.merkle_root ?? "inconnue"],
    ["Signature", finding.signature || "inconnue"],
    ["Empreinte de la clé donnée", given.sha256],
    [
      "Export antérieur",
      given.earlier ? (finding.holds ? "comparé : rien n’a été retiré ni remplacé" : "voir ci-dessus") : "non comparé",
    ],
    [
      "Fins de chaînes de l’assistance",
      given.helpdesk ? (finding.holds ? "comparées" : "voir ci-dessus") : "non comparées",
    ],
  ];
  byId("facts").replaceChildren(...facts.map(([name, value]) => make("div", make("dt", name), make("dd", value))));
  byId("result").hidden = false;
  byId("verdict").focus();
  document.title = typeset(`${verdict} – Vérifier le registre`);
}

function start() {
  if (!globalThis.crypto?.subtle) {
    byId("unable").hidden = false;
    byId("work").hidden = true;
    return;
  }
  for (const id of INPUTS) input(id).addEventListener("change", forget);
  input("fingerprint").addEventListener("input", forget);
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    check().catch((/** @type {Error} */ failure) => {
      byId("busy").hidden = true;
      showFieldFaults({ register: `Le fichier n’a pas pu être lu (${failure.name}). Choisissez-le de nouveau.` });
    });
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    sort([...(event.dataTransfer?.files ?? [])]);
  });
}

start();
