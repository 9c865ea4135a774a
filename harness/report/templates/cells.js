// The table of all cells: sorted by a column's head, and filtered. It is whole without this script, which orders the rows
// and draws those that were asked for. The state is in the query of the address, beside the chooser's, under names that begin with
// `cells.`.
"use strict";
(() => {
  const form = document.getElementById("filter");
  const table = document.getElementById("all-cells");
  const [body, ...later] = table.tBodies;
  const part = body.rows.length;  // of a long table only so many rows are drawn at first
  const heads = [...table.tHead.rows[0].cells];
  const choices = ["framework", "model", "limit", "status"];
  const rows = [...table.tBodies].flatMap(({ rows: own }) => [...own])
    .map((row) => ({ row, texts: [...row.cells].map((cell) => cell.textContent.trim()) }));
  for (const each of later) each.remove();
  let sorted = "";
  let ordered = rows;
  let whole = later.length === 0;

  // A limit has its place among the others; a figure is its number; what is unknown is none and comes last.
  const keyOf = ({ row, texts }, column) => {
    const order = row.cells[column].dataset.order;
    if (order !== undefined) return Number(order);
    return heads[column].classList.contains("text") || column === 0 ? texts[column] : Number(texts[column].replaceAll(",", ""));
  };
  const { compare: asWords } = new Intl.Collator("en", { numeric: true });
  const compare = (one, other) => (typeof one === "string" ? asWords(one, other) : one - other);

  const sort = () => {
    const down = sorted.startsWith("-");
    const column = heads.findIndex((head) => head.dataset.key === sorted.replace("-", ""));
    heads.forEach((head, index) => {
      if (index === column) head.ariaSort = down ? "descending" : "ascending";
      else head.removeAttribute("aria-sort");
    });
    ordered = rows;
    if (column >= 0) {
      const keyed = rows.map((each) => [keyOf(each, column), each]);
      const [known, unknown] = [keyed.filter(([key]) => !Number.isNaN(key)), keyed.filter(([key]) => Number.isNaN(key))];
      known.sort(([one], [other]) => (down ? compare(other, one) : compare(one, other)));
      ordered = [...known, ...unknown].map(([, each]) => each);
    }
  };

  const draw = (notice = "") => {
    const asked = form.elements.text.value.trim().toLowerCase();
    const chosen = choices.map((name) => form.elements[name].value);
    const found = ordered.filter(({ texts }) => chosen.every((value, column) => !value || texts[column] === value)
      && (!asked || texts.join("\n").toLowerCase().includes(asked)));
    const drawn = whole ? found : found.slice(0, part);
    body.replaceChildren(...drawn.map(({ row }) => row));
    const [count, all, few] = [found, rows, drawn].map(({ length }) => length.toLocaleString("en"));
    form.elements.whole.hidden = drawn.length === found.length;
    form.elements.whole.textContent = `Draw all ${count}`;
    const first = drawn.length < found.length ? `, the first ${few} are drawn` : "";
    form.elements.shown.value = `${count} of ${all} cells${first}${notice}`;
  };

  const remember = () => {
    const address = new URL(location.href);
    const own = [...[...choices, "text"].map((name) => [name, form.elements[name].value]), ["sort", sorted]];
    for (const [name, value] of own) {
      if (value) address.searchParams.set(`cells.${name}`, value);
      else address.searchParams.delete(`cells.${name}`);
    }
    address.hash = "cells";
    history.replaceState(null, "", address);
  };
  const recall = () => {
    const given = new URLSearchParams(location.search);
    form.elements.text.value = given.get("cells.text") ?? "";
    const missing = [];
    for (const name of choices) {
      const [select, value] = [form.elements[name], given.get(`cells.${name}`) ?? ""];
      select.value = value;
      if (select.selectedIndex < 0) { select.value = ""; missing.push(name); }
    }
    sorted = given.get("cells.sort") ?? "";
    return missing.length ? `; the address names a ${missing.join(" and a ")} that is not here` : "";
  };

  choices.forEach((name, column) => {
    const found = new Map(rows.map((each) => [each.texts[column], keyOf(each, column)]));
    const ordered = [...found].sort(([, one], [, other]) => compare(one, other));
    form.elements[name].append(...ordered.map(([text]) => new Option(text)));
  });
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => {
      sorted = sorted === head.dataset.key ? `-${sorted}` : head.dataset.key;
      sort();
      draw();
      remember();
    });
    head.append(button);
  }
  form.addEventListener("input", () => { draw(); remember(); });
  form.elements.whole.addEventListener("click", () => { whole = true; draw(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { sorted = ""; sort(); draw(); remember(); }));
  window.addEventListener("popstate", () => { const notice = recall(); sort(); draw(notice); });

  const notice = recall();
  if (sorted) sort();
  draw(notice);
  form.hidden = false;
})();
