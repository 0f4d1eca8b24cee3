/* Made by scripts/elements.mjs from runtime/ui/elements.def: do not edit. */

import type { Value } from "./bson";

export interface MarkdownProps {
  body: string;
  help?: string;
  width?: number | "stretch" | "content";
  text_alignment: "left" | "center" | "right" | "justify";
  anchors: boolean;
  wrap: boolean;
}

export interface TitleProps {
  body: string;
  anchor?: string | false;
  help?: string;
  text_alignment: "left" | "center" | "right" | "justify";
  icon?: string;
  width?: number | "stretch" | "content";
}

export interface HeaderProps {
  body: string;
  anchor?: string | false;
  help?: string;
  divider?: true | false | "blue" | "green" | "orange" | "red" | "violet" | "gray" | "grey" | "yellow" | "primary" | "rainbow";
  text_alignment: "left" | "center" | "right" | "justify";
  icon?: string;
  width?: number | "stretch" | "content";
}

export interface SubheaderProps {
  body: string;
  anchor?: string | false;
  help?: string;
  divider?: true | false | "blue" | "green" | "orange" | "red" | "violet" | "gray" | "grey" | "yellow" | "primary" | "rainbow";
  text_alignment: "left" | "center" | "right" | "justify";
  icon?: string;
  width?: number | "stretch" | "content";
}

export interface CaptionProps {
  body: string;
  help?: string;
  text_alignment: "left" | "center" | "right" | "justify";
  width?: number | "stretch" | "content";
}

export interface TextProps {
  body: string;
  help?: string;
  text_alignment: "left" | "center" | "right" | "justify";
  width?: number | "stretch" | "content";
}

export interface CodeProps {
  body: string;
  language: string;
  line_numbers: boolean;
  wrap_lines: boolean;
  height?: number | "stretch" | "content";
  width?: number | "stretch" | "content";
}

export interface DividerProps {
  width?: number | "stretch" | "content";
}

export interface BadgeProps {
  label: string;
  color: "blue" | "green" | "orange" | "red" | "violet" | "gray" | "grey" | "yellow" | "primary";
  icon?: string;
  help?: string;
  width?: number | "stretch" | "content";
}

export interface JsonProps {
  body: Value;
  expanded: true | false | number;
  width?: number | "stretch" | "content";
}

export interface TableProps {
  rows: Value;
  columns?: string[];
  border: true | false | "horizontal";
  hide_index: boolean;
  hide_header: boolean;
  width?: number | "stretch" | "content";
  height?: number | "stretch" | "content";
}

export interface MetricProps {
  label: string;
  value?: number | string | Value;
  delta?: number | string | Value;
  delta_color: "normal" | "inverse" | "off" | "blue" | "green" | "orange" | "red" | "violet" | "gray" | "grey" | "yellow" | "primary";
  delta_arrow: "auto" | "up" | "down" | "off";
  delta_description?: string;
  help?: string;
  label_visibility: "visible" | "hidden" | "collapsed";
  border: boolean;
  chart_data?: number[];
  chart_type: "line" | "area" | "bar";
  format?: string;
  icon?: string;
  width?: number | "stretch" | "content";
  height?: number | "stretch" | "content";
}

export interface SuccessProps {
  body: string;
  title?: string;
  icon?: string;
  width?: number | "stretch" | "content";
}

export interface InfoProps {
  body: string;
  title?: string;
  icon?: string;
  width?: number | "stretch" | "content";
}

export interface WarningProps {
  body: string;
  title?: string;
  icon?: string;
  width?: number | "stretch" | "content";
}

export interface ErrorProps {
  body: string;
  title?: string;
  icon?: string;
  width?: number | "stretch" | "content";
}

export interface ExceptionProps {
  body: Value;
  width?: number | "stretch" | "content";
  message: string;
  kind?: string;
  file?: string;
  line?: number;
  source?: Value;
  traceback?: string[];
}

export interface ProgressProps {
  value: number;
  text?: string;
  width?: number | "stretch" | "content";
}

export interface SpinnerProps {
  text?: string;
  show_time: boolean;
  width?: number | "stretch" | "content";
}

export interface StatusProps {
  label: string;
  expanded: boolean;
  state: "running" | "complete" | "error";
  type: "default" | "compact";
  width?: number | "stretch" | "content";
}

export interface ToastProps {
  body: string;
  icon?: string;
  duration: "short" | "long" | "infinite" | number;
}

export interface ButtonProps {
  label: string;
  help?: string;
  disabled: boolean;
  label_visibility: "visible" | "hidden" | "collapsed";
  width?: number | "stretch" | "content";
  ignores: boolean;
  type: "primary" | "secondary" | "tertiary";
  icon?: string;
  icon_position: "left" | "right";
  shortcut?: string;
  wrap: boolean;
}

export interface CheckboxProps {
  label: string;
  help?: string;
  disabled: boolean;
  label_visibility: "visible" | "hidden" | "collapsed";
  width?: number | "stretch" | "content";
  ignores: boolean;
  value: boolean;
}

export interface ToggleProps {
  label: string;
  help?: string;
  disabled: boolean;
  label_visibility: "visible" | "hidden" | "collapsed";
  width?: number | "stretch" | "content";
  ignores: boolean;
  value: boolean;
}

export interface RadioProps {
  label: string;
  options: string[];
  help?: string;
  disabled: boolean;
  label_visibility: "visible" | "hidden" | "collapsed";
  width?: number | "stretch" | "content";
  ignores: boolean;
  value?: string;
  horizontal: boolean;
  captions?: string[];
}

export interface SelectboxProps {
  label: string;
  options: string[];
  help?: string;
  disabled: boolean;
  label_visibility: "visible" | "hidden" | "collapsed";
  width?: number | "stretch" | "content";
  ignores: boolean;
  value?: string;
  placeholder?: string;
  accept_new_options: boolean;
  filter_mode?: "contains" | "prefix" | "fuzzy";
}

export interface MultiselectProps {
  label: string;
  options: string[];
  help?: string;
  disabled: boolean;
  label_visibility: "visible" | "hidden" | "collapsed";
  width?: number | "stretch" | "content";
  ignores: boolean;
  value?: string[];
  max_selections?: number;
  placeholder?: string;
  accept_new_options: boolean;
  filter_mode: "contains" | "prefix" | "fuzzy";
  select_all: boolean;
}

export interface SliderProps {
  label: string;
  help?: string;
  disabled: boolean;
  label_visibility: "visible" | "hidden" | "collapsed";
  width?: number | "stretch" | "content";
  ignores: boolean;
  min: number | Value;
  max: number | Value;
  value?: Value;
  step?: number;
  format?: string;
}

export interface NumberInputProps {
  label: string;
  help?: string;
  disabled: boolean;
  label_visibility: "visible" | "hidden" | "collapsed";
  width?: number | "stretch" | "content";
  ignores: boolean;
  min?: number;
  max?: number;
  value?: Value;
  step?: number;
  format?: string;
  placeholder?: string;
  icon?: string;
  required: boolean;
}

export interface TextInputProps {
  label: string;
  help?: string;
  disabled: boolean;
  label_visibility: "visible" | "hidden" | "collapsed";
  width?: number | "stretch" | "content";
  ignores: boolean;
  value: Value;
  max_chars?: number;
  type: "default" | "password" | "email" | "url" | "tel" | "search";
  validate?: string;
  required: boolean;
  autocomplete?: string;
  placeholder?: string;
  icon?: string;
  live: boolean;
}

export interface TextAreaProps {
  label: string;
  help?: string;
  disabled: boolean;
  label_visibility: "visible" | "hidden" | "collapsed";
  width?: number | "stretch" | "content";
  ignores: boolean;
  value: Value;
  height?: number | "stretch" | "content";
  max_chars?: number;
  placeholder?: string;
  required: boolean;
}

export interface MainProps {
}

export interface SidebarProps {
}

export interface EventProps {
}

export interface BottomProps {
}

export interface ContainerProps {
  border: boolean;
  height?: number | "stretch" | "content";
  width?: number | "stretch" | "content";
  horizontal: boolean;
  horizontal_alignment: "left" | "center" | "right" | "distribute";
  vertical_alignment: "top" | "center" | "bottom" | "distribute";
  gap: "none" | "small" | "medium" | "large" | number;
  autoscroll: boolean;
  wrap: boolean;
}

export interface ColumnsProps {
  spec: Value;
  gap: "none" | "small" | "medium" | "large" | number;
  vertical_alignment: "top" | "center" | "bottom";
  border: boolean;
  width?: number | "stretch" | "content";
  wrap: boolean;
}

export interface ColumnProps {
  weight: number;
}

export interface TabsProps {
  labels: string[];
  default?: string;
  value?: string;
  width?: number | "stretch" | "content";
  height?: number | "stretch" | "content";
}

export interface TabProps {
  label: string;
}

export interface ExpanderProps {
  label: string;
  expanded: boolean;
  value?: boolean;
  icon?: string;
  type: "default" | "compact" | "step";
  width?: number | "stretch" | "content";
}

export interface EmptyProps {
}

export interface Elements {
  markdown: MarkdownProps;
  title: TitleProps;
  header: HeaderProps;
  subheader: SubheaderProps;
  caption: CaptionProps;
  text: TextProps;
  code: CodeProps;
  divider: DividerProps;
  badge: BadgeProps;
  json: JsonProps;
  table: TableProps;
  metric: MetricProps;
  success: SuccessProps;
  info: InfoProps;
  warning: WarningProps;
  error: ErrorProps;
  exception: ExceptionProps;
  progress: ProgressProps;
  spinner: SpinnerProps;
  status: StatusProps;
  toast: ToastProps;
  button: ButtonProps;
  checkbox: CheckboxProps;
  toggle: ToggleProps;
  radio: RadioProps;
  selectbox: SelectboxProps;
  multiselect: MultiselectProps;
  slider: SliderProps;
  number_input: NumberInputProps;
  text_input: TextInputProps;
  text_area: TextAreaProps;
  main: MainProps;
  sidebar: SidebarProps;
  event: EventProps;
  bottom: BottomProps;
  container: ContainerProps;
  columns: ColumnsProps;
  column: ColumnProps;
  tabs: TabsProps;
  tab: TabProps;
  expander: ExpanderProps;
  empty: EmptyProps;
}

export type ElementType = keyof Elements;

export const KINDS: Record<ElementType, "leaf" | "widget" | "container"> = {
  markdown: "leaf",
  title: "leaf",
  header: "leaf",
  subheader: "leaf",
  caption: "leaf",
  text: "leaf",
  code: "leaf",
  divider: "leaf",
  badge: "leaf",
  json: "leaf",
  table: "leaf",
  metric: "leaf",
  success: "leaf",
  info: "leaf",
  warning: "leaf",
  error: "leaf",
  exception: "leaf",
  progress: "leaf",
  spinner: "container",
  status: "container",
  toast: "leaf",
  button: "widget",
  checkbox: "widget",
  toggle: "widget",
  radio: "widget",
  selectbox: "widget",
  multiselect: "widget",
  slider: "widget",
  number_input: "widget",
  text_input: "widget",
  text_area: "widget",
  main: "container",
  sidebar: "container",
  event: "container",
  bottom: "container",
  container: "container",
  columns: "container",
  column: "container",
  tabs: "container",
  tab: "container",
  expander: "container",
  empty: "container",
};

/** What a field is when the wire does not name it. */
export const DEFAULTS: { [T in ElementType]: Partial<Elements[T]> } = {
  markdown: { text_alignment: "left", anchors: true, wrap: true },
  title: { text_alignment: "left" },
  header: { text_alignment: "left" },
  subheader: { text_alignment: "left" },
  caption: { text_alignment: "left" },
  text: { text_alignment: "left" },
  code: { language: "lua", line_numbers: false, wrap_lines: false },
  divider: { },
  badge: { color: "blue" },
  json: { expanded: true },
  table: { border: true, hide_index: true, hide_header: false },
  metric: { delta_color: "normal", delta_arrow: "auto", label_visibility: "visible", border: false, chart_type: "line" },
  success: { },
  info: { },
  warning: { },
  error: { },
  exception: { },
  progress: { },
  spinner: { show_time: false },
  status: { expanded: false, state: "running", type: "default" },
  toast: { duration: "short" },
  button: { disabled: false, label_visibility: "visible", ignores: false, type: "secondary", icon_position: "left", wrap: true },
  checkbox: { disabled: false, label_visibility: "visible", ignores: false, value: false },
  toggle: { disabled: false, label_visibility: "visible", ignores: false, value: false },
  radio: { disabled: false, label_visibility: "visible", ignores: false, horizontal: false },
  selectbox: { disabled: false, label_visibility: "visible", ignores: false, accept_new_options: false },
  multiselect: { disabled: false, label_visibility: "visible", ignores: false, accept_new_options: false, filter_mode: "contains", select_all: false },
  slider: { disabled: false, label_visibility: "visible", ignores: false, min: 0, max: 100 },
  number_input: { disabled: false, label_visibility: "visible", ignores: false, required: false },
  text_input: { disabled: false, label_visibility: "visible", ignores: false, value: "", type: "default", required: false, live: false },
  text_area: { disabled: false, label_visibility: "visible", ignores: false, value: "", required: false },
  main: { },
  sidebar: { },
  event: { },
  bottom: { },
  container: { border: false, horizontal: false, horizontal_alignment: "left", vertical_alignment: "top", gap: "small", autoscroll: false, wrap: true },
  columns: { gap: "small", vertical_alignment: "top", border: false, wrap: true },
  column: { weight: 1 },
  tabs: { },
  tab: { },
  expander: { expanded: false, type: "default" },
  empty: { },
};
