// Keys: each is a link or a button of the page as well, and one switch turns them off (WCAG 2.1.4).
const KEYS = [
  ['?', 'this help'], ['/', 'filter'], ['j k', 'next, previous row'], ['Enter', 'open'], ['f F', 'next, previous failure'],
  ['[ ]', 'previous, next node or page'], ['g then o f n s t g c p e', 'overview, failures, nodes, steps, timeline, graph, checks, plan, exports'],
  ['.', 'hold, or go on'], ['y', 'copy the link'], ['x', 'copy the command'], ['Esc', 'back'],
]
const PAGES = { o: 0, f: 1, n: 2, s: 3, t: 4, g: 5, c: 6, p: 7, e: 8 }
const off = () => { try { return localStorage.getItem('plinth-keys') === 'off' } catch { return false } }
let going = false
let dialog = null

const visible = (element) => element.getClientRects().length > 0
const all = (query) => [...document.querySelectorAll(query)].filter(visible)
const rows = () => all('main li > a, main li > button, main tbody a.id, main summary, main a.card')
const failures = () => all('main .st.f, main i.f').map((sign) => sign.closest('li, tr, summary, a') || sign)

function move(list, by) {
  if (!list.length) return
  const here = list.findIndex((element) => element === document.activeElement || element.contains(document.activeElement))
  const next = list[Math.min(Math.max(here + by, 0), list.length - 1)]
  const target = next.matches('a, button, summary') ? next : next.querySelector('a, summary') || next
  target.focus()
  target.scrollIntoView({ block: 'nearest' })
}

function help() {
  if (!dialog) {
    dialog = document.createElement('dialog')
    const title = document.createElement('h2')
    title.textContent = 'Keys'
    const list = document.createElement('dl')
    for (const [keys, what] of KEYS) {
      const key = document.createElement('dt')
      const sign = document.createElement('kbd')
      sign.textContent = keys
      key.append(sign)
      const told = document.createElement('dd')
      told.textContent = what
      list.append(key, told)
    }
    const turn = document.createElement('button')
    const name = () => { turn.textContent = off() ? 'turn keys on' : 'turn keys off' }
    turn.addEventListener('click', () => { try { localStorage.setItem('plinth-keys', off() ? 'on' : 'off') } catch { /* not kept */ } name() })
    name()
    const end = document.createElement('button')
    end.textContent = 'close'
    end.addEventListener('click', () => dialog.close())
    dialog.append(title, list, turn, ' ', end)
    document.body.append(dialog)
  }
  dialog.showModal()
}

// Without TLS, but on loopback, a browser lets nobody write there; and a person may have said no.
async function copy(text) {
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false)
  const told = document.getElementById('t-link')
  if (told) told.textContent = (done ? 'copied: ' : 'could not be copied: ') + text
}

function press(event) {
  const { key, target } = event
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
  if (target.matches('input, select, textarea')) {
    if (key === 'Escape') target.blur()
    return
  }
  if (key === '?') return help()
  if (off() || dialog?.open) return
  if (going) {
    going = false
    const link = document.querySelectorAll('.top nav a')[PAGES[key]]
    if (link) link.click()
    return
  }
  const act = {
    '/': () => document.getElementById('q')?.focus(),
    j: () => move(rows(), 1), k: () => move(rows(), -1), f: () => move(failures(), 1), F: () => move(failures(), -1),
    '[': () => document.querySelector('a[rel=prev]')?.click(), ']': () => document.querySelector('a[rel=next]')?.click(),
    g: () => { going = true; setTimeout(() => { going = false }, 1500) },
    '.': () => document.dispatchEvent(new Event('plinth-hold')),
    y: () => copy(location.href), x: () => copy(document.getElementById('command')?.textContent || ''),
    Escape: () => history.back(),
  }[key]
  if (!act) return
  event.preventDefault()
  act()
}

document.addEventListener('keydown', press)
const button = document.getElementById('keys')
if (button) {
  button.hidden = false
  button.addEventListener('click', help)
}
