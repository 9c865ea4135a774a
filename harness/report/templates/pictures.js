// Saves a chart as a picture that stands alone. What the page's style says of it, and what it uses from elsewhere in the
// page, is written into it: colours and fonts are then those that the reader sees. `data:` addresses are all that the
// page's policy and a page from disk both allow.
"use strict";
(() => {
  const space = document.querySelector("svg").namespaceURI;
  const properties = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
    "stroke-opacity", "vector-effect", "opacity", "paint-order", "color", "font-family", "font-size", "font-weight", "font-variant-numeric", "text-anchor"];
  const scale = 2; // of a PNG: sharp on a dense screen and in print
  const margin = 16;
  const line = 20;

  const make = (tag, attributes, text) => {
    const element = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text) element.textContent = text;
    return element;
  };

  // Writes what is computed for each element of `shown` into its copy.
  const resolve = (shown, copy) => {
    const found = getComputedStyle(shown);
    for (const name of properties) copy.setAttribute(name, found.getPropertyValue(name));
    copy.removeAttribute("class");
    [...shown.children].forEach((child, index) => resolve(child, copy.children[index]));
  };

  // Copies of what the chart uses. Plain shapes take their colour from where they are used, and keep none of their own.
  const used = (chart) => {
    const names = new Set([...chart.querySelectorAll("use")].map((use) => use.getAttribute("href").slice(1)));
    return [...names].map((name) => {
      const shown = document.getElementById(name);
      const copy = shown.cloneNode(true);
      if (shown.children.length) resolve(shown, copy);
      return copy;
    });
  };

  const ruler = document.createElement("canvas").getContext("2d");
  const widthOf = (text, weight = 400) => {
    ruler.font = `${weight} 13px ${getComputedStyle(document.body).fontFamily}`;
    return ruler.measureText(text).width;
  };

  // A text in lines that fit into `room`.
  const wrapped = (text, room, weight) => text.trim().split(/\s+/).reduce((lines, word) => {
    const longer = `${lines.at(-1)} ${word}`.trim();
    return widthOf(longer, weight) > room && lines.at(-1) ? [...lines, word] : [...lines.slice(0, -1), longer];
  }, [""]).filter(Boolean);

  // What a chart is of: the headings that it stands under, the nearest first.
  const heading = (section) => (section ? [
    section.querySelector("h2, h3").textContent.trim(), ...heading(section.parentElement.closest("section")),
  ] : []);

  // What a name in the key looks like in the chart.
  const sample = (entry) => {
    const swatch = entry.querySelector("i");
    if (swatch) return make("rect", { y: -9, width: 20, height: 10, fill: getComputedStyle(swatch).backgroundColor });
    const named = entry.firstElementChild;
    const marker = document.getElementById(named.className).cloneNode();
    marker.removeAttribute("id");
    marker.setAttribute("transform", "translate(10 -4)");
    marker.setAttribute("fill", getComputedStyle(named, "::before").backgroundColor);
    return marker;
  };

  // The key of a chart's section in rows that fit into `room`; the section of a workload has none of its own.
  const keyed = (chart, room, write) => {
    const rows = [];
    let x = room;
    for (const entry of chart.closest("section").querySelectorAll(":scope > .key > li")) {
      const text = entry.textContent.trim();
      const width = 44 + widthOf(text);
      if (x + width > room) {
        rows.push(make("g", {}));
        x = 0;
      }
      const drawn = make("g", { transform: `translate(${x} 0)` });
      drawn.append(sample(entry), write(text, { x: 26 }));
      rows.at(-1).append(drawn);
      x += width;
    }
    return rows;
  };

  const drawn = (figure, chart) => {
    const { width, height } = chart.getBoundingClientRect();
    const style = getComputedStyle(document.body);
    const write = (text, attributes) => make("text", {
      fill: style.color, "font-family": style.fontFamily, "font-size": 13, "font-weight": 400, ...attributes,
    }, text);
    const lines = (texts, weight = 400) => texts.flatMap((text) => wrapped(text, width, weight))
      .map((text) => write(text, { "font-weight": weight }));
    const caption = figure.querySelector("figcaption");
    const above = [
      ...lines([heading(chart.closest("section")).join(" · ")], 600),
      ...lines([...(caption?.childNodes ?? [])].map((node) => node.textContent)),
      ...keyed(chart, width, write),
    ];
    const below = lines([...figure.querySelectorAll(".told"), ...document.querySelectorAll("[data-source]")].map((each) => each.textContent));
    const top = margin + line * above.length;
    const foot = Math.ceil(top + height + line);
    const size = { width: Math.ceil(width) + 2 * margin, height: foot + line * below.length + margin / 2 };
    const picture = make("svg", { ...size, viewBox: `0 0 ${size.width} ${size.height}` });
    picture.append(make("rect", { width: "100%", height: "100%", fill: style.backgroundColor }));
    const place = (from) => (row, index) => {
      const placed = make("g", { transform: `translate(${margin} ${from + line * index})` });
      placed.append(row);
      picture.append(placed);
    };
    above.forEach(place(margin + 8));
    below.forEach(place(foot + 8));
    const copy = chart.cloneNode(true);
    resolve(chart, copy);
    for (const [name, value] of Object.entries({ x: margin, y: top, width, height, overflow: "visible" })) copy.setAttribute(name, value);
    const shared = make("defs", {});
    shared.append(...used(chart));
    copy.prepend(shared);
    picture.append(copy);
    return { ...size, text: new XMLSerializer().serializeToString(picture) };
  };

  const save = (address, name) => {
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
  };
  const addressOf = (text) => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  const savers = {
    SVG: (picture, name) => save(addressOf(picture.text), `${name}.svg`),
    PNG: (picture, name) => {
      const image = new Image();
      image.onload = () => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [picture.width * scale, picture.height * scale];
        canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
        save(canvas.toDataURL("image/png"), `${name}.png`);
      };
      image.src = addressOf(picture.text);
    },
  };

  const named = (text) => text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "");
  for (const chart of document.querySelectorAll("figure svg[role=img]")) {
    const figure = chart.closest("figure");
    const title = chart.querySelector("title").textContent;
    const section = chart.closest("section[id]")?.id ?? "chart";
    const bar = document.createElement("div");
    bar.className = "save";
    for (const [kind, act] of Object.entries(savers)) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = kind;
      button.ariaLabel = `Save as ${kind}: ${title}`;
      button.addEventListener("click", () => act(drawn(figure, chart), named(`${section} ${title}`)));
      bar.append(button);
    }
    figure.append(bar);
  }
})();
