// SPDX-License-Identifier: ISC
// The room that the tests talk in: a Hubot adapter for every version. What Hubot says goes to the standard output,
// one JSON object a line; what it reads from the standard input is said to it, or sets `broken`.
'use strict'
const EventEmitter = require('events')
const readline = require('readline')

class TestRoom extends EventEmitter {
  constructor (robot) {
    super()
    this.robot = robot
    this.name = 'testroom'
    this.broken = false
  }

  send (envelope, ...strings) {
    if (this.broken) throw new Error('the room is closed')
    strings.forEach((text) => process.stdout.write(JSON.stringify({ room: envelope.room, text }) + '\n'))
    return Promise.resolve()
  }

  reply (envelope, ...strings) {
    return this.send(envelope, ...strings)
  }

  heard (line, TextMessage) {
    const said = JSON.parse(line)
    if ('broken' in said) {
      this.broken = said.broken
      process.stdout.write(JSON.stringify(said) + '\n')
      return
    }
    const user = this.robot.brain.userForId(said.user, { name: said.user, room: said.room })
    this.robot.receive(new TextMessage(user, said.text))
  }

  run () {
    return import(process.env.TESTROOM_HUBOT).then((hubot) => {
      const { TextMessage } = hubot.default && hubot.default.TextMessage ? hubot.default : hubot
      readline.createInterface({ input: process.stdin }).on('line', (line) => this.heard(line, TextMessage))
      this.emit('connected')
    })
  }

  close () {}
}

exports.use = (robot) => new TestRoom(robot)
