"use strict"
/* A model's text as it is mostly written: paragraphs, lists, code, tables, headings. Whatever is no such thing stays text.
   While it streams only the last two blocks are built again. */

const FENCE = /^ {0,3}(```+|~~~+)(?![^`]*`) *([\w+#.-]*)/
const HEADING = /^ {0,3}(#{1,6}) +(.*?)(?: +#+)?$/
const ITEM = /^( {0,6})([-*+]|\d{1,9}[.)]) +(.*)$/
const QUOTE = /^ {0,3}> ?(.*)$/
const RULE = /^ {0,3}(?:-{3,}|\*{3,}|_{3,})$/
const ROW = /^ *\|.*\| *$/
const DASHES = /^ *\|(?: *:?-+:? *\|)+ *$/
const INLINE = /(?<!`)(`+)(?!`)([^`]|[^`].*?[^`])\1(?!`)|\*\*(?=\S)(.+?)\*\*|\*(?=[^\s*])([^*]+?)\*(?!\*)|\[([^\][]+)\]\((https?:[^\s()]+)\)|(https?:\/\/[^\s<>"'`)\]]*[\w/])/s

class Prose {
  constructor(root) {
    this.root = root
    this.settled = 0 // so much of the text is built for good
    this.open = [] // the elements of what may still change
  }

  write(text) {
    const lines = text.slice(this.settled).split("\n")
    const blocks = splitBlocks(lines)
    const made = blocks.map(buildBlock)
    for (const element of this.open) element.remove()
    this.root.append(...made)
    const done = Math.max(blocks.length - 2, 0) // the last line may still turn out to belong to the block before
    this.open = made.slice(done)
    for (const line of lines.slice(0, done && blocks[done].from)) this.settled += line.length + 1
  }
}

/* Each block: where it begins, its kind, its lines. */
function splitBlocks(lines) {
  const blocks = []
  for (let at = 0; at < lines.length;) {
    if (!lines[at].trim()) { at++; continue }
    const from = at, kind = tellKind(lines, at)
    const taken = []
    const fence = kind === "code" && FENCE.exec(lines[at])
    if (fence) {
      for (at++; at < lines.length && lines[at].trim() !== fence[1]; at++) taken.push(lines[at])
      at++
    } else {
      do taken.push(lines[at++])
      while (at < lines.length && goesOn(kind, lines, at))
    }
    blocks.push({from, kind, lines: taken, word: fence?.[2]})
  }
  return blocks
}

function tellKind(lines, at) {
  const line = lines[at]
  if (FENCE.test(line)) return "code"
  if (HEADING.test(line)) return "heading"
  if (RULE.test(line)) return "rule"
  if (ITEM.test(line)) return "list"
  if (QUOTE.test(line)) return "quote"
  if (ROW.test(line) && DASHES.test(lines[at + 1] ?? "")) return "table"
  return "paragraph"
}

function goesOn(kind, lines, at) {
  const line = lines[at]
  switch (kind) {
    case "heading": case "rule": return false
    case "quote": return QUOTE.test(line)
    case "table": return ROW.test(line)
    case "list":
      if (!line.trim()) return ITEM.test(lines[at + 1] ?? "") || /^ {2,}\S/.test(lines[at + 1] ?? "")
      return /^ /.test(line) || tellKind(lines, at) === "list" || tellKind(lines, at) === "paragraph"
    default: return !!line.trim() && tellKind(lines, at) === "paragraph"
  }
}

function buildBlock({kind, lines, word}) {
  switch (kind) {
    case "code": return build("pre", {"data-word": word || undefined, tabindex: 0}, build("code", {}, lines.join("\n")))
    case "heading": {
      const [, marks, text] = HEADING.exec(lines[0])
      return build(`h${Math.min(marks.length + 2, 6)}`, {}, buildInline(text))
    }
    case "rule": return build("hr")
    case "list": return buildList(lines)
    case "quote": return build("blockquote", {}, ...buildAll(lines.map(line => QUOTE.exec(line)[1])))
    case "table": return buildTable(lines)
    default: return build("p", {}, buildInline(lines.join("\n")))
  }
}

/* Blocks within a block, so deep and no deeper. */
let depth = 0
function buildAll(lines) {
  if (depth > 8) return [build("p", {}, lines.join("\n"))]
  depth++
  try { return splitBlocks(lines).map(buildBlock) } finally { depth-- }
}

/* Items by the indentation of the first; what is indented deeper belongs to the item before. */
function buildList(lines) {
  const [, indent, mark] = ITEM.exec(lines[0])
  const ordered = /\d/.test(mark)
  const items = []
  for (const line of lines) {
    const found = ITEM.exec(line)
    if (found && found[1].length <= indent.length + 1) items.push([found[3]])
    else items.at(-1).push(line.replace(/^ {1,4}/, ""))
  }
  const start = ordered && parseInt(mark) !== 1 ? parseInt(mark) : undefined
  return build(ordered ? "ol" : "ul", {start}, ...items.map(item => build("li", {}, ...buildAll(item))))
}

function buildTable(lines) {
  const [head, , ...rows] = lines.map(line => line.trim().slice(1, -1).split("|").map(cell => cell.trim()))
  const line = (cells, name) => build("tr", {}, ...cells.map(cell => build(name, {}, buildInline(cell))))
  const table = build("table", {}, build("thead", {}, line(head, "th")), build("tbody", {}, ...rows.map(row => line(row, "td"))))
  return build("div", {class: "wide", tabindex: 0}, table)
}

function buildInline(text) {
  const made = []
  for (let rest = text; rest;) {
    const found = INLINE.exec(rest)
    if (!found) { made.push(rest); break }
    if (found.index) made.push(rest.slice(0, found.index))
    made.push(buildSpan(found))
    rest = rest.slice(found.index + found[0].length)
  }
  return made
}

function buildSpan([whole, , code, strong, emphasis, label, target, bare]) {
  if (code !== undefined) return build("code", {}, code)
  if (strong !== undefined) return build("strong", {}, buildInline(strong))
  if (emphasis !== undefined) return build("em", {}, buildInline(emphasis))
  const href = target ?? bare
  if (!URL.canParse(href)) return whole
  return build("a", {href, target: "_blank", rel: "noopener noreferrer"}, label ?? bare)
}
