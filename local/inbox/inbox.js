const lists = { email: document.getElementById("email"), sms: document.getElementById("sms") };
const state = document.getElementById("state");
const clock = new Intl.DateTimeFormat("fr-FR", { dateStyle: "short", timeStyle: "medium" });
let shown = 0;

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function entry(message) {
  const item = document.createElement("li");
  item.append(element("h3", message.subject ?? "SMS"));
  const about = element("p", `À ${message.to}, `, "about");
  const time = element("time", clock.format(new Date(message.at)));
  time.dateTime = message.at;
  about.append(time);
  item.append(about, element("pre", message.text));
  return item;
}

async function refresh() {
  try {
    const answer = await fetch("/_local/messages");
    if (!answer.ok) throw new Error(answer.statusText);
    const messages = await answer.json();
    if (messages.length !== shown || shown === 0) {
      for (const message of messages.slice(shown)) lists[message.channel].prepend(entry(message));
      shown = messages.length;
      state.textContent = shown === 0 ? "Aucun message pour l’instant." : `${shown} message${shown > 1 ? "s" : ""}.`;
    }
  } catch {
    state.textContent = "La pile locale ne répond plus. Relancez « make run », puis rechargez la page.";
  }
  setTimeout(refresh, 1000);
}

const agents = document.getElementById("agents");

async function refreshAgents() {
  const answer = await fetch("/_local/agents").catch(() => null);
  if (answer?.ok) {
    const rows = (await answer.json()).map((agent) => {
      const row = document.createElement("tr");
      row.append(...["group", "name", "password", "code", "secret"].map((name) => element("td", agent[name])));
      return row;
    });
    agents.querySelector("tbody").replaceChildren(...rows);
    agents.hidden = false;
  }
  setTimeout(refreshAgents, 2000);
}

refresh();
refreshAgents();
