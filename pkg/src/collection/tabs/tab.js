// A tab's part in a collection that several tabs have open, in the worker of the tab. One of them leads: it owns the files and answers
// the calls of all. Each call waits here until it is answered; when another tab takes over, what was not answered is sent to that one.
import { PagevecError, toPagevec } from "../../errors.js";
import { closed } from "../calls/calls.js";
import { Host } from "../host/host.js";
import { checkState, newClient, toChangeEvent } from "../messages.js";
import { Election } from "./election.js";
import { Requests } from "./requests.js";
import { Served } from "./served.js";

/** Milliseconds between signs of life of the leader, and after which one without is taken for hung. */
const BEAT = 1000;
const HUNG = 10_000;
/** Milliseconds in which a tab answers whether it is visible. */
const ANSWERS = 60;

/**
 * @typedef {import("../messages.js").State} State
 * @typedef {import("../messages.js").TabMessage} TabMessage
 * @typedef {{ change: (change: import("../calls/calls.js").ChangeEvent) => void, state: (state: State) => void }} Wires to the page
 */

export class Tab {
  #place;
  #settings;
  #wires;
  #me = newClient();
  #visible;
  #channel;
  #requests;
  #election;
  /** @type {Served | undefined} while this tab leads */
  #leads;
  /** Ends leading. */
  #resign = () => {};
  /** The leader's term, which no other has; undefined: nobody is known to lead. @type {bigint | undefined} */
  #term;
  #heard = performance.now();
  #ticked = performance.now();
  #ticking;
  /** @type {{ resolve: (state: State) => void, reject: (error: PagevecError) => void } | undefined} */
  #opening;
  /** @type {Promise<void> | undefined} */
  #closing;

  /**
   * @param {import("../host/host.js").Place} place
   * @param {import("../messages.js").HostSettings} settings
   * @param {boolean} visible
   * @param {Wires} wires
   * @returns {Promise<{ tab: Tab, state: State }>}
   */
  static async open(place, settings, visible, wires) {
    const tab = new Tab(place, settings, visible, wires);
    try {
      const state = await new Promise((resolve, reject) => (tab.#opening = { resolve, reject }));
      checkState(settings, state);
      return { tab, state };
    } catch (error) {
      await tab.close();
      throw error;
    }
  }

  /**
   * @param {import("../host/host.js").Place} place
   * @param {import("../messages.js").HostSettings} settings
   * @param {boolean} visible
   * @param {Wires} wires
   */
  constructor(place, settings, visible, wires) {
    this.#place = place;
    this.#settings = settings;
    this.#visible = visible;
    this.#wires = wires;
    this.#channel = new BroadcastChannel(`pagevec-collection:${settings.name}`);
    this.#channel.onmessage = ({ data }) => this.#receive(data);
    this.#requests = new Requests(
      (id, request) => this.#send(id, request),
      (id) => this.#post({ to: "leader", from: this.#me, abort: id }),
    );
    this.#ticking = setInterval(() => this.#tick(), BEAT);
    this.#post({ to: "all", hello: this.#me, visible });
    this.#election = new Election(`pagevec-collection:${settings.name}`, (lost) => this.#lead(lost));
  }

  /**
   * @param {import("../messages.js").Call} call
   * @param {AbortSignal | undefined} signal
   * @param {import("../host/upkeep.js").OnProgress} onProgress
   * @returns {Promise<any>}
   */
  call(call, signal, onProgress) {
    return this.#closing ? Promise.reject(closed()) : this.#requests.add(call, signal, onProgress);
  }

  /**
   * A hidden tab may be suspended at any time, with the files open: it hands over to one that is visible, and on being frozen to any.
   * @param {boolean} visible
   * @param {boolean} frozen
   */
  show(visible, frozen) {
    this.#visible = visible;
    if (frozen) this.#election.sleep();
    else this.#election.wake();
    if (frozen) this.#resign();
    else if (visible) this.#post({ to: "all", shown: this.#me });
    else if (this.#leads) this.#post({ to: "all", who: this.#me });
  }

  close() {
    this.#closing ??= (async () => {
      clearInterval(this.#ticking);
      const ended = this.#election.end();
      this.#resign();
      await ended;
      this.#requests.rejectAll(closed());
      this.#channel.close();
    })();
    return this.#closing;
  }

  /** @type {import("./election.js").Lead} */
  async #lead(lost) {
    if (!this.#visible && (await this.#isAnyVisible())) return "pause";
    if (this.#closing) return "again";
    // The others see that someone is at it: opening takes a while.
    this.#post({ to: "all", beat: this.#me });
    /** @type {Promise<void>} */
    const over = new Promise((resolve) => {
      this.#resign = resolve;
      lost.addEventListener("abort", () => resolve(), { once: true });
    });
    let leads;
    try {
      const host = await Host.open(this.#place, this.#settings, (event) => this.#tell(event));
      leads = new Served(host, newClient(), this.#post);
    } catch (error) {
      this.#failed(toPagevec(error));
      return "pause";
    }
    // Whoever takes over finds what is there, or nothing: it never makes an empty collection in its place.
    this.#settings = { ...this.#settings, create: false, from: undefined };
    this.#leads = leads;
    this.#found(leads.term, leads.state);
    this.#announce();
    await over;
    // What runs here is finished; what comes is left to the next leader.
    this.#leads = undefined;
    this.#term = undefined;
    await leads.close().catch((error) => this.#failed(toPagevec(error)));
    return "again";
  }

  #announce() {
    if (this.#leads) this.#post({ to: "all", beat: this.#me, term: this.#leads.term, state: { ...this.#leads.state, role: "follower" } });
  }

  /** @param {import("../messages.js").HostEvent} event of the host in this tab */
  #tell({ event, detail }) {
    if (event === "state") {
      this.#wires.state({ ...detail, role: "leader" });
      this.#post({ to: "all", state: { ...detail, role: "follower" } });
    } else {
      this.#wires.change(toChangeEvent(detail, this.#me));
      this.#post({ to: "all", change: detail });
    }
  }

  /**
   * Someone leads from now on.
   * @param {bigint} term
   * @param {State} state
   */
  #found(term, state) {
    this.#heard = performance.now();
    if (this.#term === term) return;
    this.#term = term;
    const own = { ...state, role: this.#leads ? /** @type {const} */ ("leader") : /** @type {const} */ ("follower") };
    this.#opening?.resolve(own);
    this.#opening = undefined;
    this.#wires.state(own);
    this.#requests.again();
  }

  /** @param {PagevecError} error why this tab cannot lead */
  #failed(error) {
    this.#opening?.reject(error);
    this.#requests.rejectAll(error);
  }

  /**
   * @param {number} id
   * @param {import("./requests.js").Request} request
   */
  #send(id, { call, signal = new AbortController().signal, onProgress }) {
    if (!this.#leads) return void (this.#term !== undefined && this.#post({ to: "leader", from: this.#me, id, call }));
    const done = this.#leads.run(call, { client: this.#me, request: id }, signal, onProgress);
    void done.then((outcome) => outcome && this.#requests.settle(id, outcome));
  }

  /** @param {TabMessage} message */
  #receive(message) {
    if (message.to === "leader") return void this.#leads?.receive(message);
    if (message.to !== "all") {
      if (message.to !== this.#me || message.term !== this.#term) return;
      this.#heard = performance.now();
      this.#requests.answer(message);
    } else if ("beat" in message) {
      this.#heard = performance.now();
      if (message.term !== undefined && message.state && !this.#leads) this.#found(message.term, message.state);
      else if (message.term !== this.#term && message.term !== undefined && !this.#leads) this.#post({ to: "all", hello: this.#me, visible: this.#visible });
    } else if ("hello" in message) {
      this.#announce();
      if (message.visible && !this.#visible) this.#resign();
    } else if ("shown" in message) {
      this.#shown();
      if (!this.#visible) this.#resign();
    } else if ("who" in message) {
      if (this.#visible) this.#post({ to: "all", shown: this.#me });
    } else if ("change" in message) this.#wires.change(toChangeEvent(message.change, this.#me));
    else if (!this.#leads) this.#wires.state(message.state);
  }

  #tick() {
    const now = performance.now();
    // This tab was suspended itself: what it did not hear says nothing.
    if (now - this.#ticked > 3 * BEAT) this.#heard = now;
    this.#ticked = now;
    if (this.#leads) this.#post({ to: "all", beat: this.#me, term: this.#term });
    else if (now - this.#heard > HUNG) {
      this.#heard = now;
      this.#election.steal();
    }
  }

  #shown = () => {};

  /** @returns {Promise<boolean>} whether another tab is visible, and would rather lead */
  #isAnyVisible() {
    this.#post({ to: "all", who: this.#me });
    return new Promise((resolve) => {
      const none = setTimeout(() => resolve(false), ANSWERS);
      this.#shown = () => (clearTimeout(none), resolve(true));
    });
  }

  #post = (/** @type {TabMessage} */ message) => this.#channel.postMessage(message);
}
