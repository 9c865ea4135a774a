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

  const drawn = (figure, chart) => {
    const { width, height } = chart.getBoundingClientRect();
    const style = getComputedStyle(document.body);
    const caption = figure.querySelector("figcaption");
    const lines = [...(caption?.childNodes ?? [])].map((node) => node.textContent.trim()).filter(Boolean);
    const top = margin + line * lines.length;
    const size = { width: Math.ceil(width) + 2 * margin, height: Math.ceil(top + height) + margin };
    const picture = make("svg", { ...size, viewBox: `0 0 ${size.width} ${size.height}` });
    picture.append(make("rect", { width: "100%", height: "100%", fill: style.backgroundColor }));
    lines.forEach((text, index) => picture.append(make("text", {
      x: margin, y: margin + line * index + 8, fill: style.color, "font-family": style.fontFamily,
      "font-size": index ? 13 : 14, "font-weight": index ? 400 : 600,
    }, text)));
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
