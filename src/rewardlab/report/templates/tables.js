"use strict";
// A heading sorts its table; cells without a number come last in either direction.
const key = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
};
const compare = (column, sign) => (first, second) => {
  const a = key(first, column), b = key(second, column);
  if (a === null && b === null) {
    return sign * first.cells[column].textContent.localeCompare(second.cells[column].textContent);
  }
  if (a === null || b === null) return a === null ? 1 : -1;
  return sign * (a - b);
};
const makeSortable = (table) => {
  const body = table.tBodies[0], headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => heading.querySelector("button").addEventListener("click", () => {
    const down = heading.getAttribute("aria-sort") !== "descending" && heading.classList.contains("n")
      || heading.getAttribute("aria-sort") === "ascending";
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...[...body.rows].sort(compare(column, down ? -1 : 1)));
  }));
};
const makeFilter = (input, table) => input.addEventListener("input", () => {
  const wanted = input.value.toLowerCase();
  for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
});
for (const figure of document.querySelectorAll("figure.table")) {
  const table = figure.querySelector("table"), filter = figure.querySelector(".filter");
  makeSortable(table);
  if (filter) makeFilter(filter, table);
  figure.querySelector(".all")?.addEventListener("change", (event) => {
    figure.classList.toggle("wide", event.target.checked);
  });
}
