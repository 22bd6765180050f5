'use strict'
// SPDX-License-Identifier: ISC
//
// Description:
//   Upbeat in the room: says its alerts, beats so that Upbeat misses this Hubot when it stops, looks at a list
//   of addresses by itself, Upbeat's own /healthz among them, and operates Upbeat.
//
// Dependencies:
//   None. One file for Hubot 3 to 14: copy it into scripts/. hubot-cronjob (or cron) is used where it is installed.
//
// Configuration:
//   HUBOT_UPBEAT_URL - where Upbeat is mounted: https://example.com/upbeat
//   HUBOT_UPBEAT_ROOM - where to say what comes unasked
//   HUBOT_UPBEAT_SECRET - takes alerts at /hubot/upbeat and /hubot/upbeat/ROOM; the `secret` of the channel in upbeat.json
//   HUBOT_UPBEAT_KEY - a key of `api_keys`; it needs "may": "write" for ack and maintenance
//   HUBOT_UPBEAT_BEAT - beats as this heartbeat: the name of a monitor of type heartbeat
//   HUBOT_UPBEAT_BEAT_SECRET - its secret
//   HUBOT_UPBEAT_BEAT_EVERY - seconds between beats (60)
//   HUBOT_UPBEAT_WATCH - more addresses to look at, with blanks between; Upbeat's /healthz always is
//   HUBOT_UPBEAT_EVERY - how often: seconds (60), or a cron pattern of 5 or 6 fields where hubot-cronjob or cron is installed
//   HUBOT_UPBEAT_FAILURES - so many failures in a row are said (2); after the first it looks again 5 seconds later
//   HUBOT_UPBEAT_TIMEOUT - seconds that an answer may take (10)
//
// Commands:
//   hubot status - what Upbeat sees
//   hubot status NAME - one monitor, by its short or its full name
//   hubot ack ID [TEXT] - acknowledge an incident: reminders stop
//   hubot maintenance NAME 30m - no alerts for so long (s, m, h, d); "off" ends it
//
// Notes:
//   In upbeat.json:
//     "channels": { "room": { "type": "hubot", "url": "http://hubot.example.com:8080/hubot/upbeat", "secret": "file:room.secret" } },
//     "monitors": { "hubot": { "type": "heartbeat", "secret": "file:hubot.secret", "max_age": "5m" } },
//     "api_keys": { "hubot": { "key": "file:hubot.key", "may": "write" } }

const crypto = require('crypto')
const http = require('http')
const https = require('https')
const path = require('path')

const REDIRECTS_MAX = 5
const AGAIN_SECONDS = 5 // a failure is not left until the next minute
const BODY_MAX = 1024 * 1024
const PER_PAGE = 500 // of Upbeat's list, so that a page is well below BODY_MAX
const TOLD_MAX = 500 // event ids that are remembered, so that a delivery which is repeated is said once
const BRAIN_KEY = 'upbeat.told'

// ---- small things

function number (name, fallback) {
  const value = Number(process.env[name])
  return value > 0 ? value : fallback
}

function hmac (secret, text) {
  return 'sha256=' + crypto.createHmac('sha256', secret).update(text, 'utf8').digest('hex')
}

function sameText (a, b) {
  const one = Buffer.from(a)
  const other = Buffer.from(b)
  return one.length === other.length && crypto.timingSafeEqual(one, other)
}

// 75 -> "1 min", 3700 -> "1 h 1 min"
function length (seconds) {
  const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]]
  const first = units.findIndex((u) => seconds >= u[1])
  if (first < 0) return '0 s'
  const rest = Math.floor(seconds % units[first][1])
  const second = units[first + 1]
  const more = second && second[0] !== 's' && rest >= second[1] ? ' ' + Math.floor(rest / second[1]) + ' ' + second[0] : ''
  return Math.floor(seconds / units[first][1]) + ' ' + units[first][0] + more
}

function ago (time) {
  return length(Math.max(0, Date.now() / 1000 - time))
}

// "30s" "5m" "1h" "2d" -> seconds; undefined when it is none of these.
function duration (text) {
  const parts = /^(\d{1,7})([smhd])$/i.exec(text)
  return parts ? parts[1] * { s: 1, m: 60, h: 3600, d: 86400 }[parts[2].toLowerCase()] : undefined
}

// ---- HTTP: a promise of { status, headers, body }; rejected with words for people

function why (error) {
  const known = {
    ECONNREFUSED: 'connection refused',
    ECONNRESET: 'connection reset',
    ENOTFOUND: 'no such host',
    EAI_AGAIN: 'the name cannot be resolved now',
    EHOSTUNREACH: 'no route to the host',
    ENETUNREACH: 'the network is unreachable',
    ETIMEDOUT: 'no connection in time',
    CERT_HAS_EXPIRED: 'the certificate has expired'
  }
  return known[error.code] || error.message || String(error.code)
}

function ask (method, address, options) {
  const given = options || {}
  const seconds = number('HUBOT_UPBEAT_TIMEOUT', 10)
  return new Promise((resolve, reject) => {
    const url = new URL(address)
    const way = { 'http:': http, 'https:': https }[url.protocol]
    if (!way) throw new Error(url.protocol + ' is not http or https')
    // A connection of its own: one that was kept open and closed meanwhile by the server would be a false alarm.
    const request = way.request(url, { method, headers: given.headers || {}, agent: false }, (response) => {
      const chunks = []
      let size = 0
      const done = () => {
        clearTimeout(timer)
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') })
      }
      response.on('data', (chunk) => {
        chunks.push(chunk)
        size += chunk.length
        if (size <= BODY_MAX) return
        done()
        response.destroy()
      })
      response.on('end', done)
      response.on('error', fail)
      response.on('aborted', () => fail(new Error('the answer broke off')))
    })
    const timer = setTimeout(() => request.destroy(new Error('no answer in ' + seconds + ' s')), seconds * 1000)
    function fail (error) {
      clearTimeout(timer)
      reject(new Error(why(error)))
    }
    request.on('error', fail)
    request.end(given.body)
  })
}

// ---- Upbeat's API

function upbeatUrl () {
  return (process.env.HUBOT_UPBEAT_URL || '').replace(/\/+$/, '')
}

function api (method, path, form) {
  const headers = {}
  if (!upbeatUrl()) return Promise.reject(new Error('HUBOT_UPBEAT_URL is not set'))
  if (process.env.HUBOT_UPBEAT_KEY) headers['X-Api-Key'] = process.env.HUBOT_UPBEAT_KEY
  if (form) headers['Content-Type'] = 'application/x-www-form-urlencoded'
  const body = form && new URLSearchParams(form).toString()
  return ask(method, upbeatUrl() + '/api/v1' + path, { headers, body }).then((answer) => {
    let value
    try {
      value = JSON.parse(answer.body)
    } catch (e) {
      throw new Error('HTTP ' + answer.status + ' without JSON')
    }
    if (answer.status >= 200 && answer.status < 300) return value
    const error = new Error(value.detail || value.error || 'HTTP ' + answer.status)
    error.status = answer.status
    throw error
  })
}

// All that match, page by page from this one on: none of thousands may be left out.
function listMonitors (query, page) {
  const at = page || 1
  const choice = query ? '&q=' + encodeURIComponent(query) : ''
  return api('GET', '/monitors?per_page=' + PER_PAGE + '&page=' + at + choice).then((list) => {
    if (at * PER_PAGE >= list.total || !list.monitors.length) return list
    return listMonitors(query, at + 1).then((rest) => Object.assign(list, { monitors: list.monitors.concat(rest.monitors) }))
  })
}

// A promise of the one monitor that is meant.
function findMonitor (name) {
  const wanted = name.toLowerCase()
  return listMonitors(name).then((list) => {
    const exact = list.monitors.filter((m) => m.slug === wanted)
    const named = list.monitors.filter((m) => m.name.toLowerCase() === wanted)
    const found = [exact, named, list.monitors].filter((l) => l.length)[0] || []
    if (found.length === 1) return found[0]
    if (!found.length) throw new Error('there is no "' + name + '"')
    throw new Error('which one? ' + found.slice(0, 10).map((m) => m.slug).join(', ') + (found.length > 10 ? ' …' : ''))
  })
}

function describe (monitor) {
  const parts = [monitor.state.toUpperCase() + ': ' + monitor.name]
  if (monitor.name !== monitor.slug) parts.push('[' + monitor.slug + ']')
  if (monitor.since) parts.push('for ' + ago(monitor.since))
  if (monitor.cause) parts.push('- ' + monitor.cause)
  else if (monitor.state === 'up' && monitor.response_ms !== null) parts.push('- ' + Math.round(monitor.response_ms) + ' ms')
  if (monitor.incident) parts.push('(incident ' + monitor.incident + ')')
  return parts.join(' ')
}

function summarize (list) {
  const bad = list.monitors.filter((m) => m.state !== 'up')
  const lines = []
  if (!list.passes.fresh) {
    lines.push("Upbeat's prober has not looked " + (list.passes.last ? 'for ' + ago(list.passes.last) : 'yet') + ': nothing here is known.')
  }
  lines.push(bad.length ? list.total - bad.length + ' of ' + list.total + ' are up.' : 'All ' + list.total + ' are up.')
  return lines.concat(bad.slice(0, 30).map(describe), bad.length > 30 ? ['… and ' + (bad.length - 30) + ' more'] : []).join('\n')
}

// ---- the script

module.exports = function (robot) {
  const defaultRoom = process.env.HUBOT_UPBEAT_ROOM

  // A promise in every version; a room that cannot be spoken in rejects it.
  function say (room, text) {
    return new Promise((resolve) => resolve(robot.messageRoom(room, text)))
  }

  function warn (text) {
    const log = robot.logger.warn || robot.logger.warning
    log.call(robot.logger, 'upbeat: ' + text)
  }

  // ---- (a) alerts

  function told () {
    return robot.brain.get(BRAIN_KEY) || []
  }

  // Reads the form; answers with a status and words when it is refused.
  function readAlert (request) {
    const secret = process.env.HUBOT_UPBEAT_SECRET
    const payload = request.body && request.body.payload
    const signature = request.headers['x-hub-signature-256']
    if (!secret) return { status: 403, error: 'HUBOT_UPBEAT_SECRET is not set' }
    if (typeof payload !== 'string') return { status: 400, error: 'there is no form field "payload"' }
    if (!signature || !sameText(hmac(secret, payload), signature.trim().toLowerCase())) {
      return { status: 403, error: 'no or wrong signature' }
    }
    try {
      const alert = JSON.parse(payload)
      if (alert && typeof alert.id === 'string' && typeof alert.text === 'string') return { alert }
    } catch (e) {
      // answered below
    }
    return { status: 400, error: 'the payload is not as described' }
  }

  const saying = {} // by room and event id, while the room has not taken it: a promise

  // What was said is remembered by room and event id: Upbeat repeats a delivery whose answer it did not get.
  function sayOnce (room, alert) {
    const key = room + ' ' + alert.id
    if (told().indexOf(key) >= 0) return Promise.resolve()
    if (!saying[key]) {
      const words = [alert.text]
      if (alert.url && alert.text.indexOf(alert.url) < 0) words.push(alert.url)
      if (alert.event === 'down' && alert.incident) words.push('(' + robot.name + ' ack ' + alert.incident + ')')
      const forget = () => delete saying[key]
      saying[key] = say(room, words.join('\n')).then(() => robot.brain.set(BRAIN_KEY, told().concat(key).slice(-TOLD_MAX)))
      saying[key].then(forget, forget)
    }
    return saying[key]
  }

  // 200 is answered when the room has it; with 503 Upbeat will come again.
  function take (request, response) {
    const room = (request.params && request.params.room) || defaultRoom
    const read = readAlert(request)
    const answer = (status, text) => {
      response.statusCode = status
      response.setHeader('Content-Type', 'text/plain')
      response.end(text)
    }
    if (read.error) {
      warn('an alert is refused: ' + read.error)
      return answer(read.status, read.error)
    }
    if (!room) return answer(503, 'HUBOT_UPBEAT_ROOM is not set')
    sayOnce(room, read.alert).then(() => answer(200, 'ok'), (error) => {
      warn('an alert could not be said in ' + room + ': ' + error.message)
      answer(503, 'it could not be said')
    })
  }

  robot.router.post('/hubot/upbeat', take)
  robot.router.post('/hubot/upbeat/:room', take)

  // ---- (b) our own heartbeat

  function beat (slug, secret) {
    const body = JSON.stringify({ time: Date.now() / 1000 })
    const headers = { 'Content-Type': 'application/json', 'X-Hub-Signature-256': hmac(secret, body) }
    return ask('POST', upbeatUrl() + '/beat/' + encodeURIComponent(slug), { headers, body }).then((answer) => {
      if (answer.status !== 200) throw new Error('HTTP ' + answer.status + ' ' + answer.body.trim())
    }).catch((error) => warn('no heartbeat: ' + error.message))
  }

  // Never keeps a Hubot alive that wants to end.
  function repeat (what, seconds) {
    const timer = setInterval(what, seconds * 1000)
    if (timer.unref) timer.unref()
  }

  const slug = process.env.HUBOT_UPBEAT_BEAT
  const beatSecret = process.env.HUBOT_UPBEAT_BEAT_SECRET
  if (slug && upbeatUrl() && beatSecret) {
    beat(slug, beatSecret)
    repeat(() => beat(slug, beatSecret), number('HUBOT_UPBEAT_BEAT_EVERY', 60))
  } else if (slug) {
    warn('no heartbeat: HUBOT_UPBEAT_URL and HUBOT_UPBEAT_BEAT_SECRET must be set')
  }

  // ---- (c) our own eyes

  function look (address, hops) {
    return ask('GET', address).then((answer) => {
      if (answer.status >= 300 && answer.status < 400 && answer.headers.location) {
        if (hops >= REDIRECTS_MAX) throw new Error('more than ' + REDIRECTS_MAX + ' redirections')
        return look(new URL(answer.headers.location, address).href, hops + 1)
      }
      if (answer.status < 200 || answer.status >= 300) throw new Error('HTTP ' + answer.status)
    })
  }

  const watched = (process.env.HUBOT_UPBEAT_WATCH || '').split(/[\s,]+/).filter(Boolean).map((address) => ({ address, name: address }))
  if (upbeatUrl()) watched.unshift({ address: upbeatUrl() + '/healthz', name: 'Upbeat itself' })
  watched.forEach((w) => Object.assign(w, { failures: 0, since: 0, said: false, looking: false }))

  // One look; a promise of the line that is to be said, if any. A look that takes longer than the time between
  // two is not doubled.
  function lookAt (w) {
    if (w.looking) return Promise.resolve()
    w.looking = true
    return look(w.address, 0).then(() => {
      const line = w.said && 'UP again: ' + w.name + ', after ' + ago(w.since)
      Object.assign(w, { failures: 0, said: false })
      return line
    }, (error) => {
      if (++w.failures === 1) w.since = Date.now() / 1000
      if (w.said || w.failures < number('HUBOT_UPBEAT_FAILURES', 2)) return
      w.said = true
      return 'DOWN, as Hubot sees it: ' + w.name + ' - ' + error.message
    }).then((line) => {
      w.looking = false
      return line
    })
  }

  let unsaid = [] // what the room did not take; it is said before the next

  // Soon, at those that failed and were not said yet.
  let again
  function lookAgain () {
    const suspects = watched.filter((w) => w.failures && !w.said)
    if (!suspects.length || again) return
    again = setTimeout(() => {
      again = undefined
      lookAround(suspects)
    }, AGAIN_SECONDS * 1000)
    if (again.unref) again.unref()
  }

  // What fails together is one message.
  function lookAround (which) {
    return Promise.all(which.map(lookAt)).then((lines) => {
      lookAgain()
      const text = unsaid.concat(lines.filter(Boolean)).slice(-20)
      unsaid = []
      if (!text.length) return
      return say(defaultRoom, text.join('\n')).catch((error) => {
        unsaid = text
        warn('it could not be said in ' + defaultRoom + ': ' + error.message)
      })
    })
  }

  // hubot-cronjob as function (pattern, what), or cron in its place; undefined when neither is there.
  // hubot-cronjob is written in CoffeeScript, which Hubot brings up to version 10 and does not always switch on.
  function cron () {
    const places = [process.cwd(), __dirname]
    const load = (name, place) => require(require.resolve(name, { paths: places.concat(place || []) }))
    const attempt = (how) => {
      try {
        return how()
      } catch (e) {
        return undefined
      }
    }
    const HubotCron = attempt(() => load('hubot-cronjob')) ||
      attempt(() => [load('coffeescript/register', path.dirname(process.argv[1] || '')), load('hubot-cronjob')][1])
    if (HubotCron) return (pattern, what) => new HubotCron(pattern, null, what).cronjob
    const CronJob = attempt(() => load('cron').CronJob)
    return CronJob && ((pattern, what) => new CronJob(pattern, what, null, true))
  }

  // cron 1.x stops a job for ever, without a word, when the machine is so busy that the next time has passed
  // while it is being computed. A watcher must not end like that.
  function keepRunning (job) {
    if (job && job.running === false && typeof job.start === 'function') job.start()
  }

  // Seconds as a pattern, where they divide a minute or an hour.
  function patternOf (seconds) {
    if (Number.isInteger(seconds) && seconds < 60 && 60 % seconds === 0) return '*/' + seconds + ' * * * * *'
    if (Number.isInteger(seconds / 60) && 60 % (seconds / 60) === 0 && seconds < 3600) return '0 */' + seconds / 60 + ' * * * *'
    return undefined
  }

  function schedule (every, what) {
    const seconds = Number(every)
    const pattern = seconds > 0 ? patternOf(seconds) : every
    const start = pattern && cron()
    if (start) {
      try {
        const job = start(pattern, what)
        repeat(() => keepRunning(job), 1)
        return
      } catch (error) {
        warn('HUBOT_UPBEAT_EVERY: ' + error.message)
      }
    } else if (!(seconds > 0)) {
      warn('HUBOT_UPBEAT_EVERY is no number, and neither hubot-cronjob nor cron is installed: every 60 s')
    }
    repeat(what, seconds > 0 ? seconds : 60)
  }

  if (watched.length && defaultRoom) schedule(process.env.HUBOT_UPBEAT_EVERY || '60', () => lookAround(watched))
  else if (watched.length) warn('nothing is looked at: HUBOT_UPBEAT_ROOM is not set')

  // ---- (d) commands

  function answer (res, promise) {
    return promise.catch((error) => 'Upbeat: ' + error.message).then((text) => res.send(text))
  }

  function speaker (res) {
    const user = res.message && res.message.user
    return (user && (user.name || user.id)) || 'somebody'
  }

  robot.respond(/status(?:\s+(\S.*?))?\s*$/i, (res) => {
    answer(res, res.match[1] ? findMonitor(res.match[1]).then(describe) : listMonitors().then(summarize))
  })

  robot.respond(/ack(?:nowledge)?\s+#?(\d{1,9})(?:\s+(\S.*?))?\s*$/i, (res) => {
    const id = res.match[1]
    const text = speaker(res) + (res.match[2] ? ': ' + res.match[2] : '')
    const missing = (error) => {
      throw error.status === 404 ? new Error('there is no incident ' + id) : error
    }
    answer(res, api('GET', '/incidents/' + id).catch(missing).then((incident) =>
      api('POST', '/monitors/' + incident.monitor + '/acknowledge', { incident: id, text })
        .then(() => 'Incident ' + id + ' (' + incident.name + ') is acknowledged.')))
  })

  robot.respond(/maintenance\s+(\S.*?)\s+(\S+)\s*$/i, (res) => {
    const seconds = res.match[2].toLowerCase() === 'off' ? 0 : duration(res.match[2])
    if (seconds === undefined) return answer(res, Promise.reject(new Error('"' + res.match[2] + '" is no length of time: 30m, 2h')))
    answer(res, findMonitor(res.match[1]).then((monitor) =>
      api('POST', '/monitors/' + monitor.slug + '/maintenance', { for: seconds }).then(() => seconds
        ? monitor.name + ' is in maintenance for ' + length(seconds) + '.'
        : monitor.name + ' is no longer in maintenance.')))
  })
}
