"use strict"
/* Elements, and what stays in the tab. Texts become text nodes here and nowhere markup: `build` sets attributes and
   appends what it is given, strings as text. */

const find = id => document.getElementById(id)

function build(name, attributes = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "")
    else if (value !== false && value !== undefined) element.setAttribute(key, value)
  }
  element.append(...children.flat())
  return element
}

function buildIcon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  svg.setAttribute("class", "icon")
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "use"))
  svg.firstChild.setAttribute("href", `#i-${name}`)
  return svg
}

/* A browser may refuse its storage: then nothing is remembered, and all else works. */
const memory = (() => {
  const kept = {}
  const wrap = (store, act) => { try { return act(store()) } catch { return null } }
  return {
    read: name => kept[name] ?? wrap(() => sessionStorage, store => store.getItem(`chat.${name}`)) ?? "",
    write(name, value) {
      kept[name] = value
      wrap(() => sessionStorage, store => value ? store.setItem(`chat.${name}`, value) : store.removeItem(`chat.${name}`))
    },
  }
})()

/* Whatever changed since the last frame is drawn in the next one, once. */
const painting = {
  waiting: new Set(),
  after: () => {},
  add(view) {
    if (!this.waiting.size) requestAnimationFrame(() => this.flush())
    this.waiting.add(view)
  },
  flush() {
    const views = [...this.waiting]
    this.waiting.clear()
    for (const view of views) view.draw()
    this.after()
  },
}
