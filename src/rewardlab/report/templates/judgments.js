// Single judgments come from traces/NAME.js beside the page, which calls rewardlabJudgments; only when they are asked for.
const made = (tag, text = "", className = "") => {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
};
const COLUMNS = ["arm", "question", "order", "status", "verdict", "gold", "credit", "differs"];
const cellsOf = (judgment) => [
  judgment.arm, judgment.repeat ? `${judgment.question}, repeat ${judgment.repeat}` : judgment.question, judgment.order,
  judgment.status, judgment.verdict, judgment.gold || "–", judgment.credit === null ? "–" : judgment.credit.toFixed(2),
  judgment.flipped ? "from the baseline" : "",
];
const facts = (pairs) => {
  const list = made("dl");
  for (const [name, text] of pairs) if (text) list.append(made("dt", name), made("dd", text));
  return list;
};
const detailOf = (judgment) => {
  const box = made("div", "", "trace");
  box.append(facts([
    ["question", judgment.question], ["order shown", judgment.order], ["verdict", judgment.verdict],
    ["gold", judgment.gold], ["scores", judgment.scores], ["readout", judgment.readout], ["tool calls", judgment.tools],
    ["given by", judgment.source], ["cost", judgment.cost],
  ]));
  if (judgment.ledger.length) box.append(made("h4", "Ledger"));
  for (const entry of judgment.ledger) box.append(facts(Object.entries(entry)));
  judgment.steps.forEach(([kind, text], place) => {
    box.append(made("h4", `${place + 1}. ${kind}`), made("pre", text));
  });
  return box;
};
const rowOf = (judgment) => {
  const row = made("tr", "", "judgment");
  cellsOf(judgment).forEach((text, column) => {
    const cell = made("td", column ? text : "", COLUMNS[column] === "credit" ? "n" : "t");
    if (!column) {
      const button = made("button", text, "read");
      button.setAttribute("aria-expanded", "false");
      cell.append(button);
    }
    if (COLUMNS[column] === "credit" && judgment.credit !== null) cell.dataset.value = judgment.credit;
    row.append(cell);
  });
  return row;
};
const show = (home, judgments) => {
  const bar = made("div", "", "bar"), filter = made("input", "", "filter"), scroll = made("div", "", "scroll");
  const table = made("table"), head = table.createTHead().insertRow(), body = table.createTBody();
  const reader = made("div", "", "reader");
  filter.type = "search";
  filter.placeholder = "filter judgments";
  filter.setAttribute("aria-label", "filter the judgments");
  bar.append(made("h3", `${judgments.length} judgments, those that differ from the baseline first`), filter);
  for (const title of COLUMNS) {
    const heading = made("th", "", title === "credit" ? "n" : "t");
    heading.append(made("button", title));
    head.append(heading);
  }
  for (const judgment of judgments) {
    const row = rowOf(judgment);
    row.querySelector(".read").addEventListener("click", (event) => {
      body.querySelectorAll('[aria-expanded="true"]').forEach((other) => other.setAttribute("aria-expanded", "false"));
      event.target.setAttribute("aria-expanded", "true");
      reader.replaceChildren(detailOf(judgment));
      reader.scrollIntoView({ block: "nearest" });
    });
    body.append(row);
  }
  scroll.append(table);
  makeSortable(table);
  makeFilter(filter, table);
  home.replaceChildren(bar, scroll, reader);
};
const homes = new Map([...document.querySelectorAll(".judgments")].map((home) => [home.dataset.name, home]));
globalThis.rewardlabJudgments = async (name, packed) => {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  show(homes.get(name), await new Response(stream).json());
};
for (const [name, home] of homes) {
  home.querySelector(".open").addEventListener("click", () => {
    const script = made("script");
    script.src = `traces/${name}.js`;
    script.addEventListener("error", () => { home.querySelector(".said").hidden = false; });
    document.body.append(script);
  });
}
