// The chooser: holds a reader's needs against the cells of one model under one limit. All figures, and what is proved
// of whom, come with the page; nothing is fetched. The state is in the query of the address, beside that of the
// table of all cells, so that it stays when a link leads to another part of the page.
"use strict";
(() => {
  const subjects = JSON.parse(document.getElementById("choices").textContent);
  const form = document.getElementById("chooser");
  const result = document.getElementById("chosen");
  const heads = ["framework", "place", "p50 ms", "p99 ms", "memory MiB", "start s", "items/s"];
  const needs = [
    { field: "p99", place: 1, name: "p99", unit: "ms", most: true },
    { field: "memory", place: 2, name: "memory", unit: "MiB", most: true },
    { field: "start", place: 3, name: "start-up", unit: "s", most: true },
    { field: "throughput", place: 4, name: "throughput", unit: "items/s", most: false },
  ];  // a place is that among a candidate's figures
  const atCap = "at the cap";

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
    const all = typed.map((need) => ({ ...need, limit: number(need.text) }));
    const counts = ({ limit }) => Number.isFinite(limit) && limit >= 0;
    return [all.filter(counts), all.filter((need) => !counts(need))];
  };

  // Between what a figure may be, by what stands beside it. At the cap, a cell with room would have held more.
  const endsOf = (shown, beside) => {
    if (beside.startsWith("[")) return beside.slice(1, -1).split(", ");
    if (!beside) return [shown, shown];
    return [beside === atCap ? shown : "0", "Infinity"];
  };

  // Why a figure misses a need, or may miss it; nothing where it fits. What is shown counts, so that none misses itself.
  const held = ({ field, place, name, unit, most, limit }, figures) => {
    const [shown, beside = ""] = figures[place].split("\n");
    const told = `${name} ${shown} ${unit}`;
    if (Number.isNaN(number(shown))) return { doubt: `${name} unknown${field === "p99" ? ": too few samples" : ""}` };
    const fits = (text) => (most ? number(text) <= limit : number(text) >= limit);
    const ends = endsOf(shown, beside);
    if (ends.every(fits)) return {};
    if (!ends.some(fits)) return { miss: `${told}${beside && ` ${beside}`}, ${most ? "over" : "under"} ${print(limit)}` };
    if (beside === atCap) return { doubt: `${told}, ${atCap}` };
    if (!beside.startsWith("[")) return { doubt: `${told}, its interval is ${beside}` };
    return { doubt: `${told}, its interval reaches ${ends.find((end) => fits(end) !== fits(shown))} ${unit}` };
  };
  const judged = ([name, slot, ending, flags, figures], index, wanted) => {
    const found = ending ? [] : wanted.map((need) => held(need, figures));
    const misses = ending ? [ending] : found.flatMap(({ miss = [] }) => miss);
    return { name, slot, flags, figures, index, misses, doubts: found.flatMap(({ doubt = [] }) => doubt) };
  };

  // The best and the worst place that a candidate may have among some, by what is proved.
  const band = ({ less }, staying, own) => {
    const before = staying.filter(({ index }) => less.some(([one, two]) => one === index && two === own)).length;
    const behind = staying.filter(({ index }) => less.some(([one, two]) => one === own && two === index)).length;
    return [1 + before, staying.length - behind];
  };
  const placed = (choice, staying) => staying
    .map((each) => ({ ...each, band: band(choice, staying, each.index) }))
    // What is proved goes before the p50, by which candidates come: that is over all rounds of a cell and not over common ones.
    .sort((one, two) => one.band[0] - two.band[0] || one.band[1] - two.band[1]);

  const rowOf = ({ name, slot, flags }, ...cells) => {
    const row = make("tr");
    const head = make("th", name, `m${slot}`);
    head.scope = "row";
    if (flags.length) {
      const tags = make("small", "", "flags");
      tags.append(...flags.flatMap((flag) => [make("span", flag, "flag"), " "]));
      head.append(tags);
    }
    row.append(head, ...cells);
    return row;
  };
  const figure = (text) => {
    const [shown, beside] = text.split("\n");
    const cell = make("td", shown);
    if (beside) cell.append(make("small", beside));
    return cell;
  };
  const fitting = (each) => {
    const [best, worst] = each.band;
    return rowOf(each, make("td", best === worst ? `${best}` : `${best} to ${worst}`), ...each.figures.map(figure));
  };
  const reasoned = (each, word, reasons) => {
    const cell = make("td", `${word}: ${reasons.join("; ")}`, "text wrap muted");
    cell.colSpan = heads.length - 1;
    return rowOf(each, cell);
  };
  const headRow = () => {
    const row = make("tr");
    for (const title of heads) {
      const cell = make("th", title);
      cell.scope = "col";
      row.append(cell);
    }
    return row;
  };

  const counted = (found, one, many) => `${found.length} ${found.length === 1 ? one : many}`;
  const tell = (fits, unsure, out, refused) => {
    for (const { field } of needs) form.elements[field].ariaInvalid = refused.some((need) => need.field === field);
    form.elements.told.value = [
      `${counted(fits, "fits", "fit")}, ${unsure.length} not sure, ${counted(out, "falls out", "fall out")}`,
      ...refused.map(({ name, text }) => `${name} is left out, as “${text}” is no number of 0 or more`),
    ].join("; ");
  };

  const show = () => {
    const choice = subjects[form.elements.subject.value].choices[form.elements.limit.value];
    const [wanted, refused] = asked();
    const all = choice.candidates.map((candidate, index) => judged(candidate, index, wanted));
    const out = all.filter(({ misses }) => misses.length);
    const unsure = all.filter(({ misses, doubts }) => doubts.length && !misses.length);
    const fits = placed(choice, all.filter(({ misses, doubts }) => !doubts.length && !misses.length));
    const [table, top, body] = ["table", "thead", "tbody"].map((tag) => make(tag));
    top.append(headRow());
    body.append(
      ...fits.map(fitting),
      ...unsure.map((each) => reasoned(each, "not sure", each.doubts)),
      ...out.map((each) => reasoned(each, "falls out", each.misses)),
    );
    const nothing = unsure.length ? "Nothing surely fits" : "Nothing fits";
    table.append(make("caption", fits.length ? "What fits, the fastest first" : nothing), top, body);
    result.replaceChildren(table);
    tell(fits, unsure, out, refused);
  };

  const fill = (select, titles) => select.replaceChildren(...titles.map((title, index) => new Option(title, index)));
  const fillLimits = () => fill(form.elements.limit, subjects[form.elements.subject.value].choices.map((each) => each.title));
  const fields = ["subject", "limit", ...needs.map(({ field }) => field)];

  const remember = () => {
    const address = new URL(location.href);
    for (const field of fields) {
      const { value } = form.elements[field];
      if (value) address.searchParams.set(field, value);
      else address.searchParams.delete(field);
    }
    address.hash = "choose";
    history.replaceState(null, "", address);
  };
  const recall = () => {
    const given = new URLSearchParams(location.search);
    const subject = Number(given.get("subject"));
    form.elements.subject.value = subject in subjects ? subject : 0;
    fillLimits();
    for (const field of fields.slice(1)) form.elements[field].value = given.get(field) ?? "";
    if (form.elements.limit.selectedIndex < 0) form.elements.limit.selectedIndex = 0;
  };

  fill(form.elements.subject, subjects.map((each) => each.title));
  recall();
  form.addEventListener("input", (event) => {
    if (event.target === form.elements.subject) fillLimits();
    remember();
    show();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("popstate", () => { recall(); show(); });
  show();
  document.getElementById("choose").hidden = false;
})();
