// The chooser: holds a reader's needs against the cells of one model under one limit. All figures, and what is proved
// of whom, come with the page; nothing is fetched. The state is in the address, beside that of the table of all cells.
"use strict";
(() => {
  const subjects = JSON.parse(document.getElementById("choices").textContent);
  const candidates = ({ candidates: lists }) => lists.map(([name, slot, ending, figures]) => ({ name, slot, ending, figures }));
  const form = document.getElementById("chooser");
  const result = document.getElementById("chosen");
  const needs = [
    { field: "p99", place: 1, name: "p99", unit: "ms", most: true },
    { field: "memory", place: 2, name: "memory", unit: "MiB", most: true },
    { field: "start", place: 3, name: "start-up", unit: "s", most: true },
    { field: "throughput", place: 4, name: "throughput", unit: "items/s", most: false },
  ];  // a place is that among a candidate's figures

  // Reads what the page prints, and what is typed like it: 0.5, or 46,970.
  const number = (text) => Number(/^[1-9]\d{0,2}(,\d{3})+(\.|$)/.test(text) ? text.replaceAll(",", "") : text);
  const print = (value) => value.toLocaleString("en", { maximumSignificantDigits: 21 });
  const make = (tag, text, name) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (name) element.className = name;
    return element;
  };

  // What a reader typed: the needs that count, and those that are no number of 0 or more.
  const asked = () => {
    const typed = needs.map((need) => ({ ...need, text: form.elements[need.field].value.trim() })).filter(({ text }) => text);
    const all = typed.map((need) => ({ ...need, asked: number(need.text) }));
    const counts = ({ asked: value }) => Number.isFinite(value) && value >= 0;
    return [all.filter(counts), all.filter((need) => !counts(need))];
  };

  // Why a candidate falls out; empty for one that stays. What is shown counts, so that no figure misses itself.
  const misses = ({ ending, figures }, wanted) => {
    if (ending) return [ending];
    return wanted.flatMap(({ field, place, name, unit, most, asked: limit }) => {
      const [shown, bounds = ""] = figures[place].split("\n");
      const found = number(shown);
      if (Number.isNaN(found)) return [`${name} unknown${field === "p99" ? ": too few samples" : ""}`];
      if (most ? found <= limit : found >= limit) return [];
      return [`${name} ${shown} ${unit}${bounds && ` ${bounds}`}, ${most ? "over" : "under"} ${print(limit)}`];
    });
  };

  // The best and the worst place that a candidate may have among some, by what is proved.
  const band = (choice, staying, own) => {
    const before = staying.filter((other) => choice.less.some(([one, two]) => one === other && two === own)).length;
    const behind = staying.filter((other) => choice.less.some(([one, two]) => one === own && two === other)).length;
    return [1 + before, staying.length - behind];
  };

  const figure = (text) => {
    const [shown, bounds] = text.split("\n");
    const cell = make("td", shown);
    if (bounds) cell.append(make("small", bounds));
    return cell;
  };
  const name = (candidate) => {
    const head = make("th", candidate.name, `m${candidate.slot}`);
    head.scope = "row";
    return head;
  };

  const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;

  const show = () => {
    const choice = subjects[form.elements.subject.value].choices[form.elements.limit.value];
    const [wanted, refused] = asked();
    const all = candidates(choice).map((candidate, index) => ({ candidate, index, why: misses(candidate, wanted) }));
    const fitting = all.filter(({ why }) => !why.length).map(({ index }) => index);
    const staying = fitting.map((index) => ({ index, band: band(choice, fitting, index) }));
    // What is proved goes before the p50, by which candidates come: that is over all rounds of a cell and not over common ones.
    staying.sort((one, two) => one.band[0] - two.band[0] || one.band[1] - two.band[1]);
    const table = make("table");
    table.append(make("caption", staying.length ? "What fits, the fastest first" : "Nothing fits"));
    const head = make("tr");
    for (const title of ["framework", "place", "p50 ms", "p99 ms", "memory MiB", "start s", "items/s"]) {
      const cell = make("th", title);
      cell.scope = "col";
      head.append(cell);
    }
    const body = make("tbody");
    for (const { index, band: [best, worst] } of staying) {
      const { candidate } = all[index];
      const row = make("tr");
      const places = make("td", best === worst ? `${best}` : `${best} to ${worst}`);
      row.append(name(candidate), places, ...candidate.figures.map(figure));
      body.append(row);
    }
    all.filter(({ why }) => why.length).forEach(({ candidate, why }) => {
      const row = make("tr");
      const cell = make("td", `falls out: ${why.join("; ")}`, "text wrap muted");
      cell.colSpan = 6;
      row.append(name(candidate), cell);
      body.append(row);
    });
    const top = make("thead");
    top.append(head);
    table.append(top, body);
    result.replaceChildren(table);
    for (const { field } of needs) form.elements[field].ariaInvalid = refused.some((need) => need.field === field);
    form.elements.told.value = [
      [counted(staying.length, "fits", "fit"), counted(all.length - staying.length, "falls out", "fall out")].join(", "),
      ...refused.map(({ name: need, text }) => `${need} is left out, as “${text}” is no number of 0 or more`),
    ].join("; ");
  };

  const fill = (select, titles) => select.replaceChildren(...titles.map((title, index) => new Option(title, index)));
  const fillLimits = () => fill(form.elements.limit, subjects[form.elements.subject.value].choices.map((each) => each.title));
  const fields = ["subject", "limit", ...needs.map(({ field }) => field)];

  const remember = () => {
    const given = fields.filter((field) => form.elements[field].value !== "").map((field) => [field, form.elements[field].value]);
    const others = [...new URLSearchParams(location.hash.split("?")[1])].filter(([key]) => key.startsWith("cells."));
    history.replaceState(null, "", `#choose?${new URLSearchParams([...given, ...others])}`);
  };
  const recall = () => {
    const [start, query] = location.hash.split("?");
    if (query === undefined || (start !== "#choose" && start !== "#cells")) return;
    const given = new URLSearchParams(query);
    const subject = Number(given.get("subject") ?? 0);
    if (subject in subjects) form.elements.subject.value = subject;
    fillLimits();
    for (const field of fields.slice(1)) if (given.has(field)) form.elements[field].value = given.get(field);
    if (form.elements.limit.selectedIndex < 0) form.elements.limit.selectedIndex = 0;
  };

  fill(form.elements.subject, subjects.map((each) => each.title));
  fillLimits();
  recall();
  form.addEventListener("input", (event) => {
    if (event.target === form.elements.subject) fillLimits();
    remember();
    show();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", () => { recall(); show(); });
  show();
  document.getElementById("choose").hidden = false;
})();
