// The chooser: holds a reader's needs against the cells of one model under one limit. All figures, and what is proved
// of whom, come with the page; nothing is fetched. The state is in the address, beside that of the table of all cells.
"use strict";
(() => {
  const subjects = JSON.parse(document.getElementById("choices").textContent);
  const form = document.getElementById("chooser");
  const result = document.getElementById("chosen");
  const needs = [
    { field: "p99", name: "p99", unit: "ms", most: true },
    { field: "memory", name: "memory", unit: "MiB", most: true },
    { field: "start", name: "start-up", unit: "s", most: true },
    { field: "throughput", name: "throughput", unit: "items/s", most: false },
  ];

  const digits = (value) => {
    if (value === null) return "–";
    const plain = Number(value.toPrecision(3));
    return plain === 0 || plain >= 1e-4 ? plain.toLocaleString("en", { maximumSignificantDigits: 3 }) : plain.toExponential();
  };
  const make = (tag, text, name) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (name) element.className = name;
    return element;
  };

  // Why a candidate falls out; empty for one that stays.
  const misses = (candidate) => {
    if (candidate.ending) return [candidate.ending];
    return needs.flatMap(({ field, name, unit, most }) => {
      const asked = form.elements[field].valueAsNumber;
      const found = candidate[field];
      if (Number.isNaN(asked)) return [];
      if (found === null) return [`${name} unknown${field === "p99" ? ": too few samples" : ""}`];
      const word = most ? "over" : "under";
      return (most ? found > asked : found < asked) ? [`${name} ${digits(found)} ${unit}, ${word} ${digits(asked)}`] : [];
    });
  };

  // The best and the worst place that a candidate may have among some, by what is proved.
  const band = (choice, staying, own) => {
    const before = staying.filter((other) => choice.less.some(([one, two]) => one === other && two === own)).length;
    const behind = staying.filter((other) => choice.less.some(([one, two]) => one === own && two === other)).length;
    return [1 + before, staying.length - behind];
  };

  const name = (candidate) => {
    const head = make("th", candidate.name, `m${candidate.slot}`);
    head.scope = "row";
    return head;
  };

  const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;

  const show = () => {
    const choice = subjects[form.elements.subject.value].choices[form.elements.limit.value];
    const all = choice.candidates.map((candidate, index) => ({ candidate, index, why: misses(candidate) }));
    const fitting = all.filter(({ why }) => !why.length).map(({ index }) => index);
    const staying = fitting.map((index) => ({ index, band: band(choice, fitting, index) }));
    // What is proved goes before the figures, which are over all rounds of a cell and not over common ones.
    staying.sort((one, two) => one.band[0] - two.band[0] || one.band[1] - two.band[1]
      || choice.candidates[one.index].p50 - choice.candidates[two.index].p50);
    const table = make("table");
    table.append(make("caption", staying.length ? "What fits, the fastest first" : "Nothing fits"));
    const head = make("tr");
    for (const title of ["framework", "place", "p50 ms", "95 % interval", "p99 ms", "memory MiB", "start s", "items/s"]) {
      const cell = make("th", title);
      cell.scope = "col";
      head.append(cell);
    }
    const body = make("tbody");
    for (const { index, band: [best, worst] } of staying) {
      const each = choice.candidates[index];
      const row = make("tr");
      const interval = each.low === null ? "–" : `[${digits(each.low)}, ${digits(each.high)}]`;
      const texts = [best === worst ? `${best}` : `${best} to ${worst}`, digits(each.p50), interval, digits(each.p99), digits(each.memory),
        digits(each.start), digits(each.throughput)];
      row.append(name(each), ...texts.map((text) => make("td", text)));
      body.append(row);
    }
    all.filter(({ why }) => why.length).forEach(({ candidate, why }) => {
      const row = make("tr");
      const cell = make("td", `falls out: ${why.join("; ")}`, "text wrap muted");
      cell.colSpan = 7;
      row.append(name(candidate), cell);
      body.append(row);
    });
    const top = make("thead");
    top.append(head);
    table.append(top, body);
    result.replaceChildren(table);
    form.elements.told.value = [counted(staying.length, "fits", "fit"), counted(all.length - staying.length, "falls out", "fall out")].join(", ");
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
