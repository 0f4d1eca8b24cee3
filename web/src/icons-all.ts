/*
 * Every drawing of Lucide (ISC licence), and its drawings for the names that Material Symbols uses:
 * a file of its own, for what icons-more.ts does not know.
 */
import { aliases, icons } from "@iconify-json/lucide/icons.json";

const DRAWN: Record<string, { body: string }> = icons;
const OTHER_NAMES: Record<string, { parent: string }> = aliases;

/* Lucide's name, and the words of Material Symbols for it. */
const MATERIAL = `
activity: vital-signs | alarm-clock: alarm | archive-restore: unarchive
arrow-left-right: swap-horiz sync-alt compare-arrows | arrow-right: arrow-right-alt
arrow-up-down: swap-vert sort import-export | award: workspace-premium
badge-alert: new-releases | ban: block do-not-disturb | bell-off: notifications-off
bell-ring: notifications-active notification-important | bike: directions-bike pedal-bike
bold: format-bold | book-open: menu-book auto-stories | bot: smart-toy robot assistant
brain: psychology neurology cognition | brain-circuit: model-training
briefcase: work work-outline business-center | building: business domain
building-complex: apartment location-city corporate-fare | bus: directions-bus
calculator: calculate | calendar: calendar-today today | calendar-days: calendar-month
calendar-range: date-range | car: directions-car
chart-column: assessment analytics insert-chart equalizer leaderboard
chart-column-stacked: stacked-bar-chart
chart-line: monitoring query-stats ssid-chart stacked-line-chart insights
chart-network: graph-3 | chart-pie: donut-large donut-small data-usage
chart-scatter: scatter-plot | chevron-down: expand-more keyboard-arrow-down arrow-drop-down
chevron-left: navigate-before keyboard-arrow-left arrow-back-ios
chevron-right: navigate-next keyboard-arrow-right arrow-forward-ios
chevron-up: expand-less keyboard-arrow-up arrow-drop-up
circle-alert: priority-high error-outline | circle-arrow-up: arrow-circle-up upgrade
circle-arrow-down: arrow-circle-down | circle-check-big: task-alt | circle-dollar-sign: paid
circle-ellipsis: pending | circle-minus: remove-circle do-not-disturb-on
circle-plus: add-circle | circle-question-mark: question-mark contact-support help-outline quiz
circle-user: account-circle | clipboard-check: fact-check task assignment-turned-in
clipboard-list: assignment | cloud-download: download-for-offline | cloud-rain: rainy
cloud-sun: partly-cloudy-day | cloud-upload: backup | columns-3: view-column | compass: explore
copy: file-copy | cpu: memory developer-board | crosshair: center-focus-strong
download: file-download | droplet: water-drop opacity | dumbbell: fitness-center
ellipsis: more-horiz | ellipsis-vertical: more-vert | eye: preview
factory: precision-manufacturing | file: draft insert-drive-file | file-plus: note-add
file-text: picture-as-pdf docs | file-up: upload-file | film: movie theaters
flame: local-fire-department whatshot | flask-conical: science experiment | flower: local-florist
footprints: directions-walk | frown: sentiment-dissatisfied mood-bad | gamepad-2: sports-esports
gauge: speed network-check | gift: redeem card-giftcard | git-branch: account-tree
grip-vertical: drag-indicator | hammer: hardware | hard-hat: engineering
headset: support-agent headset-mic | heart: favorite-border
heart-pulse: monitor-heart ecg-heart | rotate-ccw-clock: update manage-history work-history
hospital: local-hospital emergency | hourglass: hourglass-empty hourglass-top hourglass-bottom
image: photo insert-photo | italic: format-italic | key: vpn-key | key-round: password passkey
landmark: account-balance | languages: translate | layers: stacks
layout-dashboard: dashboard space-dashboard | layout-grid: apps grid-view view-module
leaf: eco energy-savings-leaf | library-big: library-books local-library | life-buoy: support
lightbulb: emoji-objects tips-and-updates wb-incandescent
list: format-list-bulleted list-alt view-list | list-checks: checklist-rtl
list-ordered: format-list-numbered | locate: my-location gps-fixed | log-in: input
log-out: logout exit-to-app | mail-open: drafts | map-pin: location-pin pin-drop fmd-good
medal: military-tech | megaphone: campaign announcement | meh: sentiment-neutral
message-square: comment sms reviews rate-review | messages-square: forum question-answer
monitor: desktop-windows | monitor-smartphone: devices | moon: bedtime nightlight nights-stay
mouse-pointer-click: ads-click | music: audiotrack music-note | navigation: near-me
network: hub lan device-hub | package: inventory-2 deployed-code | paw-print: pets
pen-line: draw edit-note | pencil: mode-edit create | piggy-bank: savings | pill: medication
pin: push-pin keep | plane: flight travel | plane-takeoff: flight-takeoff
play: play-circle-filled | plus: add-box | pointer: touch-app | puzzle: extension
qr-code: qr-code-2 | quote: format-quote | receipt: receipt-long | recycle: recycling
rewind: fast-rewind | rotate-ccw: replay restart-alt undo-alt | route: conversion-path
rows-3: table-rows view-agenda | ruler: straighten square-foot | scale: balance | server: dns
shapes: category | shield: security gpp-good | shield-check: verified-user admin-panel-settings
shield-plus: health-and-safety | shopping-cart: add-shopping-cart | sigma: functions
signal: signal-cellular-alt | skip-back: skip-previous | skip-forward: skip-next
smile: mood face sentiment-satisfied sentiment-very-satisfied | snowflake: ac-unit
sofa: weekend chair | square-check: check-box | square-code: code-blocks
star: grade star-border star-rate kid-star | stethoscope: medical-services | store: storefront
sun: sunny wb-sunny clear-day | syringe: vaccines | table: table-view grid-on
tag: sell local-offer | target: track-changes | text-search: manage-search
thermometer: thermostat | timer: hourglass-disabled | toggle-left: toggle-off
toggle-right: toggle-on | trash: delete-forever delete-outline | tree-pine: forest nature
trophy: emoji-events | type: text-fields title | umbrella: beach-access | unlink: link-off
upload: file-upload publish | user-cog: manage-accounts | user-plus: person-add
user-x: person-remove | user-search: person-search | users: groups diversity-3
utensils: restaurant | video: videocam video-call | volume-2: volume-up | volume-1: volume-down
wallet: account-balance-wallet | wand-sparkles: magic-button auto-fix-high | webhook: api
wifi-off: signal-wifi-off | wind: air | workflow: schema flowchart | zap: electric-bolt flash-on`;

/** Material's words, each with Lucide's name. */
export const materialNames = new Map(
  MATERIAL.trim()
    .split(/\s*[|\n]\s*/)
    .flatMap((line) => {
      const [name, words] = line.split(": ") as [string, string];
      return words.split(" ").map((word): [string, string] => [word, name]);
    }),
);

/** The drawing of a name as one path, or undefined. */
export function find(word: string): string | undefined {
  const other = Object.hasOwn(OTHER_NAMES, word) ? OTHER_NAMES[word]!.parent : undefined;
  const name = Object.hasOwn(DRAWN, word) ? word : (other ?? materialNames.get(word));
  return name === undefined ? undefined : pathOf(DRAWN[name]!.body);
}

const SHAPE = /<(path|circle|ellipse|rect) ([^>]*)\/>/g;

function pathOf(body: string): string {
  const shapes = [...body.matchAll(SHAPE)].map(([, tag, text]) => {
    const all = Object.fromEntries([...text!.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!]));
    return shapePath(tag!, all);
  });
  return shapes.join("");
}

/** One shape as a path; a path of its own begins where it says, not where the last one ended. */
function shapePath(tag: string, all: Record<string, string>): string {
  if (tag === "path") return all.d!.replace(/^m/, "M0 0m");
  const number = (name: string, other = name) => Number(all[name] ?? all[other] ?? 0);
  if (tag === "rect") return boxPath(number("x"), number("y"), number("width"), number("height"), number("rx", "ry"));
  const rx = number("r", "rx"),
    ry = number("r", "ry");
  return `M${number("cx") - rx} ${number("cy")}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0`;
}

function boxPath(x: number, y: number, width: number, height: number, r: number): string {
  const across = width - 2 * r,
    along = height - 2 * r;
  const corner = (dx: number, dy: number) => `a${r} ${r} 0 0 1 ${dx} ${dy}`;
  return `M${x + r} ${y}h${across}${corner(r, r)}v${along}${corner(-r, r)}h${-across}${corner(-r, -r)}v${-along}${corner(r, -r)}z`;
}
