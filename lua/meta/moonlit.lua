---@meta
-- Made by web/scripts/elements.mjs from runtime/ui/elements.def: do not edit. For editors; nothing runs it.

---@alias moonlit.Width "stretch"|"content"|number
---@alias moonlit.OnChange fun(...)|"rerun"|"ignore"
---@alias moonlit.Choices any[]|moonlit.Cursor
---@alias moonlit.Scalar moonlit.Decimal128|moonlit.Int64|moonlit.Double|moonlit.Date

---@class moonlit
---@field main moonlit.Container The root of the page.
---@field sidebar moonlit.Container The root beside the page; a drawer on a phone.
---@field bottom moonlit.Container The root pinned below the page.
local ui = {}

---@class moonlit.Handle
local handle = {}

---@class moonlit.MarkdownOptions
---@field help? string A tooltip beside the text
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field text_alignment? "left"|"center"|"right"|"justify" Alignment of the text; "left" by default
---@field anchors? boolean Its headings can be linked to; true by default
---@field wrap? boolean false keeps each paragraph on one line and cuts it at the end; true by default
---@field key? string|integer Which element it is when the script draws it anew

---Text in Markdown: GitHub's flavour, `:red[colour]`, `:teal[..]`, `:#c06[..]`, `:blue-background[..]`, `:blue-badge[..]`, `:small[..]`, `:shimmer[..]`, `:icon/star:`, `:rocket:` (emoji by GitHub's names), maths as TeX in `$..$` and in `$$..$$`. Raw HTML is shown as text: there is no option that inserts it.
---@param body string|number The Markdown text
---@param options? moonlit.MarkdownOptions
---@return moonlit.Handle
function ui.markdown(body, options) end

---Text in Markdown: GitHub's flavour, `:red[colour]`, `:teal[..]`, `:#c06[..]`, `:blue-background[..]`, `:blue-badge[..]`, `:small[..]`, `:shimmer[..]`, `:icon/star:`, `:rocket:` (emoji by GitHub's names), maths as TeX in `$..$` and in `$$..$$`. Raw HTML is shown as text: there is no option that inserts it.
---@param body string|number The Markdown text
---@param options? moonlit.MarkdownOptions
---@return moonlit.Handle
function handle:markdown(body, options) end

---@class moonlit.TitleOptions
---@field anchor? string|false Name of the link target; derived from the text by default, false for none
---@field help? string A tooltip beside the heading
---@field text_alignment? "left"|"center"|"right"|"justify" Alignment of the text; "left" by default
---@field icon? string An icon's name, in front
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---The page's heading (level 1).
---@param body string|number The text; inline Markdown
---@param options? moonlit.TitleOptions
---@return moonlit.Handle
function ui.title(body, options) end

---The page's heading (level 1).
---@param body string|number The text; inline Markdown
---@param options? moonlit.TitleOptions
---@return moonlit.Handle
function handle:title(body, options) end

---@class moonlit.HeaderOptions
---@field anchor? string|false Name of the link target; derived from the text by default, false for none
---@field help? string A tooltip beside the heading
---@field divider? boolean|"blue"|"green"|"orange"|"red"|"violet"|"gray"|"grey"|"yellow"|"primary"|"rainbow" A line below: true (the next colour of a cycle) or a colour's name
---@field text_alignment? "left"|"center"|"right"|"justify" Alignment of the text; "left" by default
---@field icon? string An icon's name, in front
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---A heading of level 2.
---@param body string|number The text; inline Markdown
---@param options? moonlit.HeaderOptions
---@return moonlit.Handle
function ui.header(body, options) end

---A heading of level 2.
---@param body string|number The text; inline Markdown
---@param options? moonlit.HeaderOptions
---@return moonlit.Handle
function handle:header(body, options) end

---@class moonlit.SubheaderOptions
---@field anchor? string|false Name of the link target; derived from the text by default, false for none
---@field help? string A tooltip beside the heading
---@field divider? boolean|"blue"|"green"|"orange"|"red"|"violet"|"gray"|"grey"|"yellow"|"primary"|"rainbow" A line below: true (the next colour of a cycle) or a colour's name
---@field text_alignment? "left"|"center"|"right"|"justify" Alignment of the text; "left" by default
---@field icon? string An icon's name, in front
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---A heading of level 3.
---@param body string|number The text; inline Markdown
---@param options? moonlit.SubheaderOptions
---@return moonlit.Handle
function ui.subheader(body, options) end

---A heading of level 3.
---@param body string|number The text; inline Markdown
---@param options? moonlit.SubheaderOptions
---@return moonlit.Handle
function handle:subheader(body, options) end

---@class moonlit.CaptionOptions
---@field help? string A tooltip beside the text
---@field text_alignment? "left"|"center"|"right"|"justify" Alignment of the text; "left" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---Small, pale Markdown.
---@param body string|number The Markdown text
---@param options? moonlit.CaptionOptions
---@return moonlit.Handle
function ui.caption(body, options) end

---Small, pale Markdown.
---@param body string|number The Markdown text
---@param options? moonlit.CaptionOptions
---@return moonlit.Handle
function handle:caption(body, options) end

---@class moonlit.TextOptions
---@field help? string A tooltip beside the text
---@field text_alignment? "left"|"center"|"right"|"justify" Alignment of the text; "left" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---Plain text as it is; no Markdown. Line ends are kept.
---@param body string|number The text
---@param options? moonlit.TextOptions
---@return moonlit.Handle
function ui.text(body, options) end

---Plain text as it is; no Markdown. Line ends are kept.
---@param body string|number The text
---@param options? moonlit.TextOptions
---@return moonlit.Handle
function handle:text(body, options) end

---@class moonlit.CodeOptions
---@field language? string Language of the colours; "text" for none; "lua" by default
---@field line_numbers? boolean Number the lines; false by default
---@field wrap_lines? boolean Break long lines instead of scrolling; false by default
---@field height? moonlit.Width `"content"` or pixels (then it scrolls)
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---Source code with a copy button.
---@param body string|number The source text
---@param options? moonlit.CodeOptions
---@return moonlit.Handle
function ui.code(body, options) end

---Source code with a copy button.
---@param body string|number The source text
---@param options? moonlit.CodeOptions
---@return moonlit.Handle
function handle:code(body, options) end

---@class moonlit.DividerOptions
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---A horizontal line.
---@param options? moonlit.DividerOptions
---@return moonlit.Handle
function ui.divider(options) end

---A horizontal line.
---@param options? moonlit.DividerOptions
---@return moonlit.Handle
function handle:divider(options) end

---@class moonlit.BadgeOptions
---@field color? "blue"|"green"|"orange"|"red"|"violet"|"gray"|"grey"|"yellow"|"primary" Colour of the pill; "blue" by default
---@field icon? string An icon's name
---@field help? string A tooltip
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---A small coloured pill.
---@param label string The text; inline Markdown
---@param options? moonlit.BadgeOptions
---@return moonlit.Handle
function ui.badge(label, options) end

---A small coloured pill.
---@param label string The text; inline Markdown
---@param options? moonlit.BadgeOptions
---@return moonlit.Handle
function handle:badge(label, options) end

---@class moonlit.JsonOptions
---@field expanded? boolean|number true, false, or how many levels are open; true by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---A value as a collapsible tree; BSON types are shown as such.
---@param body any A table, a document, or a text that holds JSON
---@param options? moonlit.JsonOptions
---@return moonlit.Handle
function ui.json(body, options) end

---A value as a collapsible tree; BSON types are shown as such.
---@param body any A table, a document, or a text that holds JSON
---@param options? moonlit.JsonOptions
---@return moonlit.Handle
function handle:json(body, options) end

---@class moonlit.TableOptions
---@field columns? string[] Which columns, in which order; by default those of the rows in order of appearance
---@field border? boolean|"horizontal" true, false or "horizontal"; true by default
---@field hide_index? boolean Do not number the rows; true by default
---@field hide_header? boolean Do not show the columns' names; false by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field height? moonlit.Width `"content"`, `"stretch"` or pixels (then it scrolls)
---@field key? string|integer Which element it is when the script draws it anew

---A static table of a list of rows, a cursor or a document; texts are inline Markdown.
---@param rows any A list of tables or documents (one a row), a list of lists, a cursor, or one document
---@param options? moonlit.TableOptions
---@return moonlit.Handle
function ui.table(rows, options) end

---A static table of a list of rows, a cursor or a document; texts are inline Markdown.
---@param rows any A list of tables or documents (one a row), a list of lists, a cursor, or one document
---@param options? moonlit.TableOptions
---@return moonlit.Handle
function handle:table(rows, options) end

---@class moonlit.MetricOptions
---@field delta_color? "normal"|"inverse"|"off"|"blue"|"green"|"orange"|"red"|"violet"|"gray"|"grey"|"yellow"|"primary" `inverse`: a rise is bad; `off`: grey; "normal" by default
---@field delta_arrow? "auto"|"up"|"down"|"off" The arrow beside the change; "auto" by default
---@field delta_description? string Words behind the change, such as "from last week"
---@field help? string A tooltip beside the label
---@field label_visibility? "visible"|"hidden"|"collapsed" `hidden` keeps the label's room, `collapsed` does not; "visible" by default
---@field border? boolean Draw it as a card; false by default
---@field chart_data? number[] Numbers of a sparkline below
---@field chart_type? "line"|"area"|"bar" Kind of the sparkline; "line" by default
---@field format? string plain, localized, percent, dollar, euro, yen, compact, scientific, engineering, accounting, bytes, or a printf form
---@field icon? string An icon's name
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field height? moonlit.Width `"content"`, `"stretch"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---A number that matters: large, with its change and a small chart.
---@param label string What is measured; inline Markdown
---@param value? number|string|moonlit.Scalar A number, a text, or nil for a dash
---@param delta? number|string|moonlit.Scalar The change: a number or a text; a leading minus means down
---@param options? moonlit.MetricOptions
---@return moonlit.Handle
function ui.metric(label, value, delta, options) end

---A number that matters: large, with its change and a small chart.
---@param label string What is measured; inline Markdown
---@param value? number|string|moonlit.Scalar A number, a text, or nil for a dash
---@param delta? number|string|moonlit.Scalar The change: a number or a text; a leading minus means down
---@param options? moonlit.MetricOptions
---@return moonlit.Handle
function handle:metric(label, value, delta, options) end

---@class moonlit.SuccessOptions
---@field title? string A bold first line
---@field icon? string An icon's name
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---A green note: it worked.
---@param body string|number Markdown
---@param options? moonlit.SuccessOptions
---@return moonlit.Handle
function ui.success(body, options) end

---A green note: it worked.
---@param body string|number Markdown
---@param options? moonlit.SuccessOptions
---@return moonlit.Handle
function handle:success(body, options) end

---@class moonlit.InfoOptions
---@field title? string A bold first line
---@field icon? string An icon's name
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---A blue note.
---@param body string|number Markdown
---@param options? moonlit.InfoOptions
---@return moonlit.Handle
function ui.info(body, options) end

---A blue note.
---@param body string|number Markdown
---@param options? moonlit.InfoOptions
---@return moonlit.Handle
function handle:info(body, options) end

---@class moonlit.WarningOptions
---@field title? string A bold first line
---@field icon? string An icon's name
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---An amber note: take care.
---@param body string|number Markdown
---@param options? moonlit.WarningOptions
---@return moonlit.Handle
function ui.warning(body, options) end

---An amber note: take care.
---@param body string|number Markdown
---@param options? moonlit.WarningOptions
---@return moonlit.Handle
function handle:warning(body, options) end

---@class moonlit.ErrorOptions
---@field title? string A bold first line
---@field icon? string An icon's name
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---A red note: it failed.
---@param body string|number Markdown
---@param options? moonlit.ErrorOptions
---@return moonlit.Handle
function ui.error(body, options) end

---A red note: it failed.
---@param body string|number Markdown
---@param options? moonlit.ErrorOptions
---@return moonlit.Handle
function handle:error(body, options) end

---@class moonlit.ExceptionOptions
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---An error with the script's line, its source and the traceback.
---@param body any An error value: a text, or a table with message, code, code_name
---@param options? moonlit.ExceptionOptions
---@return moonlit.Handle
function ui.exception(body, options) end

---An error with the script's line, its source and the traceback.
---@param body any An error value: a text, or a table with message, code, code_name
---@param options? moonlit.ExceptionOptions
---@return moonlit.Handle
function handle:exception(body, options) end

---@class moonlit.ProgressOptions
---@field width? moonlit.Width `"stretch"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---A bar that fills.
---@param value number 0.0 to 1.0, or an integer 0 to 100
---@param text? string A line above the bar; inline Markdown
---@param options? moonlit.ProgressOptions
---@return moonlit.Handle
function ui.progress(value, text, options) end

---A bar that fills.
---@param value number 0.0 to 1.0, or an integer 0 to 100
---@param text? string A line above the bar; inline Markdown
---@param options? moonlit.ProgressOptions
---@return moonlit.Handle
function handle:progress(value, text, options) end

---@class moonlit.SpinnerOptions
---@field show_time? boolean Count the seconds; false by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---Shows that something is being done while a function runs; appears after half a second and goes when it ends.
---@param text? string What is being done; inline Markdown
---@param options? moonlit.SpinnerOptions
---@param f fun(): any
---@return any ...
---@overload fun(text: string, f: fun(): any): any
function ui.spinner(text, options, f) end

---Shows that something is being done while a function runs; appears after half a second and goes when it ends.
---@param text? string What is being done; inline Markdown
---@param options? moonlit.SpinnerOptions
---@param f fun(): any
---@return any ...
---@overload fun(self: moonlit.Handle, text: string, f: fun(): any): any
function handle:spinner(text, options, f) end

---@class moonlit.StatusOptions
---@field expanded? boolean Open at first; false by default
---@field state? "running"|"complete"|"error" The icon in front; "running" by default
---@field type? "default"|"compact" `compact` has no box around it; "default" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---A box for the steps of a longer task; folded when done.
---@param label string The task; inline Markdown
---@param options? moonlit.StatusOptions
---@param f? fun()
---@return moonlit.Container
---@overload fun(label: string, f: fun()): moonlit.Container
function ui.status(label, options, f) end

---A box for the steps of a longer task; folded when done.
---@param label string The task; inline Markdown
---@param options? moonlit.StatusOptions
---@param f? fun()
---@return moonlit.Container
---@overload fun(self: moonlit.Handle, label: string, f: fun()): moonlit.Container
function handle:status(label, options, f) end

---@class moonlit.ToastOptions
---@field icon? string An icon's name
---@field duration? "short"|"long"|"infinite"|number "short" (4 s), "long" (10 s), "infinite" or seconds; "short" by default
---@field key? string|integer Which element it is when the script draws it anew

---A short note in the corner that goes by itself.
---@param body string|number Inline Markdown
---@param options? moonlit.ToastOptions
---@return moonlit.Handle
function ui.toast(body, options) end

---A short note in the corner that goes by itself.
---@param body string|number Inline Markdown
---@param options? moonlit.ToastOptions
---@return moonlit.Handle
function handle:toast(body, options) end

---@class moonlit.ButtonOptions
---@field help? string A tooltip beside the label; Markdown
---@field disabled? boolean Shown, but cannot be used; false by default
---@field label_visibility? "visible"|"hidden"|"collapsed" `hidden` keeps the label's room, `collapsed` does not; screen readers get it always; "visible" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field on_change? moonlit.OnChange Called before the next run's body when the user changed the value. Waits allowed. `"ignore"`: a change alone runs nothing, and reaches the script with the next run
---@field args? any[] A list of arguments for the callback
---@field on_click? fun(...) Called before the body of the press's run. Waits allowed
---@field type? "primary"|"secondary"|"tertiary" How loud it is; "secondary" by default
---@field icon? string An icon's name
---@field icon_position? "left"|"right" Where the icon stands; "left" by default
---@field shortcut? string A key such as "Ctrl+S" that presses it
---@field wrap? boolean Break a long label into lines; false cuts it; true by default
---@field key? string|integer Which element it is when the script draws it anew

---A button; true in exactly one run after it was pressed.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.ButtonOptions
---@return boolean
function ui.button(label, options) end

---A button; true in exactly one run after it was pressed.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.ButtonOptions
---@return boolean
function handle:button(label, options) end

---@class moonlit.CheckboxOptions
---@field help? string A tooltip beside the label; Markdown
---@field disabled? boolean Shown, but cannot be used; false by default
---@field label_visibility? "visible"|"hidden"|"collapsed" `hidden` keeps the label's room, `collapsed` does not; screen readers get it always; "visible" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field on_change? moonlit.OnChange Called before the next run's body when the user changed the value. Waits allowed. `"ignore"`: a change alone runs nothing, and reaches the script with the next run
---@field args? any[] A list of arguments for the callback
---@field value? boolean The value before the user changes it; false by default
---@field key? string|integer Which element it is when the script draws it anew

---A box to tick.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.CheckboxOptions
---@return boolean
function ui.checkbox(label, options) end

---A box to tick.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.CheckboxOptions
---@return boolean
function handle:checkbox(label, options) end

---@class moonlit.ToggleOptions
---@field help? string A tooltip beside the label; Markdown
---@field disabled? boolean Shown, but cannot be used; false by default
---@field label_visibility? "visible"|"hidden"|"collapsed" `hidden` keeps the label's room, `collapsed` does not; screen readers get it always; "visible" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field on_change? moonlit.OnChange Called before the next run's body when the user changed the value. Waits allowed. `"ignore"`: a change alone runs nothing, and reaches the script with the next run
---@field args? any[] A list of arguments for the callback
---@field value? boolean The value before the user changes it; false by default
---@field key? string|integer Which element it is when the script draws it anew

---A switch.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.ToggleOptions
---@return boolean
function ui.toggle(label, options) end

---A switch.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.ToggleOptions
---@return boolean
function handle:toggle(label, options) end

---@class moonlit.RadioOptions
---@field help? string A tooltip beside the label; Markdown
---@field disabled? boolean Shown, but cannot be used; false by default
---@field label_visibility? "visible"|"hidden"|"collapsed" `hidden` keeps the label's room, `collapsed` does not; screen readers get it always; "visible" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field on_change? moonlit.OnChange Called before the next run's body when the user changed the value. Waits allowed. `"ignore"`: a change alone runs nothing, and reaches the script with the next run
---@field args? any[] A list of arguments for the callback
---@field index? integer|false Which is chosen before the user does, from 1; false for none; 1 by default
---@field format_func? fun(option: any): string Makes the label of a choice; tostring by default
---@field horizontal? boolean Side by side; false by default
---@field captions? string[] A pale line below each choice
---@field key? string|integer Which element it is when the script draws it anew

---One of a few choices, all visible.
---@param label string What the widget asks for; inline Markdown
---@param options moonlit.Choices The choices: a list of any values, or a cursor; `format_func` makes their labels
---@param choices? moonlit.RadioOptions
---@return any
function ui.radio(label, options, choices) end

---One of a few choices, all visible.
---@param label string What the widget asks for; inline Markdown
---@param options moonlit.Choices The choices: a list of any values, or a cursor; `format_func` makes their labels
---@param choices? moonlit.RadioOptions
---@return any
function handle:radio(label, options, choices) end

---@class moonlit.SelectboxOptions
---@field help? string A tooltip beside the label; Markdown
---@field disabled? boolean Shown, but cannot be used; false by default
---@field label_visibility? "visible"|"hidden"|"collapsed" `hidden` keeps the label's room, `collapsed` does not; screen readers get it always; "visible" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field on_change? moonlit.OnChange Called before the next run's body when the user changed the value. Waits allowed. `"ignore"`: a change alone runs nothing, and reaches the script with the next run
---@field args? any[] A list of arguments for the callback
---@field index? integer|false Which is chosen before the user does, from 1; false for none; 1 by default
---@field format_func? fun(option: any): string Makes the label of a choice; tostring by default
---@field placeholder? string Shown while nothing is chosen
---@field accept_new_options? boolean The user may type a choice that is not listed; false by default
---@field filter_mode? "contains"|"prefix"|"fuzzy" How typing narrows the list; without it the browser's own list opens
---@field key? string|integer Which element it is when the script draws it anew

---One of many choices, in a list that opens.
---@param label string What the widget asks for; inline Markdown
---@param options moonlit.Choices The choices: a list of any values, or a cursor; `format_func` makes their labels
---@param choices? moonlit.SelectboxOptions
---@return any
function ui.selectbox(label, options, choices) end

---One of many choices, in a list that opens.
---@param label string What the widget asks for; inline Markdown
---@param options moonlit.Choices The choices: a list of any values, or a cursor; `format_func` makes their labels
---@param choices? moonlit.SelectboxOptions
---@return any
function handle:selectbox(label, options, choices) end

---@class moonlit.MultiselectOptions
---@field help? string A tooltip beside the label; Markdown
---@field disabled? boolean Shown, but cannot be used; false by default
---@field label_visibility? "visible"|"hidden"|"collapsed" `hidden` keeps the label's room, `collapsed` does not; screen readers get it always; "visible" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field on_change? moonlit.OnChange Called before the next run's body when the user changed the value. Waits allowed. `"ignore"`: a change alone runs nothing, and reaches the script with the next run
---@field args? any[] A list of arguments for the callback
---@field default? any[] A list of the values chosen before the user does
---@field format_func? fun(option: any): string Makes the label of a choice; tostring by default
---@field max_selections? integer At most so many
---@field placeholder? string Shown while nothing is chosen
---@field accept_new_options? boolean The user may type a choice that is not listed; false by default
---@field filter_mode? "contains"|"prefix"|"fuzzy" How typing narrows the list; "contains" by default
---@field select_all? boolean The list begins with an entry that chooses all; false by default
---@field key? string|integer Which element it is when the script draws it anew

---Any number of choices.
---@param label string What the widget asks for; inline Markdown
---@param options moonlit.Choices The choices: a list of any values, or a cursor; `format_func` makes their labels
---@param choices? moonlit.MultiselectOptions
---@return any[]
function ui.multiselect(label, options, choices) end

---Any number of choices.
---@param label string What the widget asks for; inline Markdown
---@param options moonlit.Choices The choices: a list of any values, or a cursor; `format_func` makes their labels
---@param choices? moonlit.MultiselectOptions
---@return any[]
function handle:multiselect(label, options, choices) end

---@class moonlit.SliderOptions
---@field help? string A tooltip beside the label; Markdown
---@field disabled? boolean Shown, but cannot be used; false by default
---@field label_visibility? "visible"|"hidden"|"collapsed" `hidden` keeps the label's room, `collapsed` does not; screen readers get it always; "visible" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field on_change? moonlit.OnChange Called before the next run's body when the user changed the value. Waits allowed. `"ignore"`: a change alone runs nothing, and reaches the script with the next run
---@field args? any[] A list of arguments for the callback
---@field min? number|moonlit.Scalar The least value: a number, or a date of `bson.date`; 0 by default
---@field max? number|moonlit.Scalar The greatest value; 100 by default
---@field value? number|moonlit.Date|number[]|moonlit.Date[] A number or a date, or a list of two for a range; `min` by default
---@field step? number Distance of two values; 1 for whole numbers, else a hundredth of the range. Of dates in seconds: a day, or a quarter of an hour where there are no two days
---@field format? string A printf form such as "%.2f", or a preset as in metric. Of dates: "date", "datetime", "time", or letters such as "DD.MM.YYYY HH:mm"
---@field key? string|integer Which element it is when the script draws it anew

---A number on a rail, or a range of two.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.SliderOptions
---@return any
function ui.slider(label, options) end

---A number on a rail, or a range of two.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.SliderOptions
---@return any
function handle:slider(label, options) end

---@class moonlit.NumberInputOptions
---@field help? string A tooltip beside the label; Markdown
---@field disabled? boolean Shown, but cannot be used; false by default
---@field label_visibility? "visible"|"hidden"|"collapsed" `hidden` keeps the label's room, `collapsed` does not; screen readers get it always; "visible" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field on_change? moonlit.OnChange Called before the next run's body when the user changed the value. Waits allowed. `"ignore"`: a change alone runs nothing, and reaches the script with the next run
---@field args? any[] A list of arguments for the callback
---@field min? number The least value
---@field max? number The greatest value
---@field value? number|false The value before the user changes it; `min` or 0 by default, false for an empty field (nil)
---@field step? number What the arrows add; 1 for whole numbers, else 0.01
---@field format? string A printf form such as "%.2f"
---@field placeholder? string Shown while empty
---@field icon? string An icon's name
---@field required? boolean The user cannot leave it empty; false by default
---@field key? string|integer Which element it is when the script draws it anew

---A number typed or stepped.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.NumberInputOptions
---@return number
function ui.number_input(label, options) end

---A number typed or stepped.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.NumberInputOptions
---@return number
function handle:number_input(label, options) end

---@class moonlit.TextInputOptions
---@field help? string A tooltip beside the label; Markdown
---@field disabled? boolean Shown, but cannot be used; false by default
---@field label_visibility? "visible"|"hidden"|"collapsed" `hidden` keeps the label's room, `collapsed` does not; screen readers get it always; "visible" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field on_change? moonlit.OnChange Called before the next run's body when the user changed the value. Waits allowed. `"ignore"`: a change alone runs nothing, and reaches the script with the next run
---@field args? any[] A list of arguments for the callback
---@field value? string|false The value before the user changes it; false for an empty field (nil);  by default
---@field max_chars? integer At most so many characters
---@field type? "default"|"password"|"email"|"url"|"tel"|"search" `password` hides the text; an `email` or `url` that is none is flagged and not sent; "default" by default
---@field validate? string A regular expression of the browser; a text that does not match it whole is flagged and not sent
---@field required? boolean The user cannot leave it empty; false by default
---@field autocomplete? string The browser's autocomplete word
---@field placeholder? string Shown while empty
---@field icon? string An icon's name
---@field live? boolean Send while typing, after a pause of 300 ms; false by default
---@field key? string|integer Which element it is when the script draws it anew

---A line of text; sent on Enter or when the field is left.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.TextInputOptions
---@return string
function ui.text_input(label, options) end

---A line of text; sent on Enter or when the field is left.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.TextInputOptions
---@return string
function handle:text_input(label, options) end

---@class moonlit.TextAreaOptions
---@field help? string A tooltip beside the label; Markdown
---@field disabled? boolean Shown, but cannot be used; false by default
---@field label_visibility? "visible"|"hidden"|"collapsed" `hidden` keeps the label's room, `collapsed` does not; screen readers get it always; "visible" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field on_change? moonlit.OnChange Called before the next run's body when the user changed the value. Waits allowed. `"ignore"`: a change alone runs nothing, and reaches the script with the next run
---@field args? any[] A list of arguments for the callback
---@field value? string|false The value before the user changes it; false for an empty field (nil);  by default
---@field height? moonlit.Width `"content"`, `"stretch"` or pixels
---@field max_chars? integer At most so many characters
---@field placeholder? string Shown while empty
---@field required? boolean The user cannot leave it empty; false by default
---@field key? string|integer Which element it is when the script draws it anew

---Several lines of text; sent on Ctrl+Enter or when the field is left.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.TextAreaOptions
---@return string
function ui.text_area(label, options) end

---Several lines of text; sent on Ctrl+Enter or when the field is left.
---@param label string What the widget asks for; inline Markdown
---@param options? moonlit.TextAreaOptions
---@return string
function handle:text_area(label, options) end

---@class moonlit.ContainerOptions
---@field border? boolean Draw it as a card; false by default
---@field height? moonlit.Width `"content"`, `"stretch"` (what its neighbours leave of the column) or pixels: then it scrolls
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field horizontal? boolean Side by side instead of below each other; false by default
---@field horizontal_alignment? "left"|"center"|"right"|"distribute" Where the content stands; "left" by default
---@field vertical_alignment? "top"|"center"|"bottom"|"distribute" Where the content stands; "top" by default
---@field gap? "none"|"small"|"medium"|"large"|number "none", "small", "medium", "large" or pixels; "small" by default
---@field autoscroll? boolean With a height: stay at the end while something is added, unless the user has scrolled away; false by default
---@field wrap? boolean Side by side: go on below where there is no room; true by default
---@field key? string|integer Which element it is when the script draws it anew

---An invisible box that may be filled later and out of order.
---@param options? moonlit.ContainerOptions
---@param f? fun()
---@return moonlit.Container
---@overload fun(f: fun()): moonlit.Container
function ui.container(options, f) end

---An invisible box that may be filled later and out of order.
---@param options? moonlit.ContainerOptions
---@param f? fun()
---@return moonlit.Container
---@overload fun(self: moonlit.Handle, f: fun()): moonlit.Container
function handle:container(options, f) end

---@class moonlit.ColumnsOptions
---@field gap? "none"|"small"|"medium"|"large"|number "none", "small", "medium", "large" or pixels; "small" by default
---@field vertical_alignment? "top"|"center"|"bottom" Where the content stands; "top" by default
---@field border? boolean Draw each as a card; false by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field wrap? boolean false keeps them side by side, however narrow the page; true by default
---@field key? string|integer Which element it is when the script draws it anew

---Columns side by side; they wrap where there is no room. Returns one container a column.
---@param spec integer|number[] How many, or a list of weights
---@param options? moonlit.ColumnsOptions
---@return moonlit.Container ...
function ui.columns(spec, options) end

---Columns side by side; they wrap where there is no room. Returns one container a column.
---@param spec integer|number[] How many, or a list of weights
---@param options? moonlit.ColumnsOptions
---@return moonlit.Container ...
function handle:columns(spec, options) end

---@class moonlit.TabsOptions
---@field default? string The tab open at first; the first by default
---@field on_change? moonlit.OnChange `"rerun"`, or a function that is called before the next run's body: choosing a tab runs the script, each tab's `open` is true or false, and `ui.state[key]` is the chosen one's name
---@field args? any[] A list of arguments for the callback
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field height? moonlit.Width Height of the pages: `"content"`, or pixels (then they scroll)
---@field key? string|integer Which element it is when the script draws it anew

---Pages behind each other. Returns one container a tab; all are computed.
---@param labels string[] The tabs' names; inline Markdown
---@param options? moonlit.TabsOptions
---@return moonlit.Container ...
function ui.tabs(labels, options) end

---Pages behind each other. Returns one container a tab; all are computed.
---@param labels string[] The tabs' names; inline Markdown
---@param options? moonlit.TabsOptions
---@return moonlit.Container ...
function handle:tabs(labels, options) end

---@class moonlit.ExpanderOptions
---@field expanded? boolean Open at first; false by default
---@field on_change? moonlit.OnChange `"rerun"`, or a function that is called before the next run's body: opening and closing run the script, and the handle's `open` and `ui.state[key]` are true or false
---@field args? any[] A list of arguments for the callback
---@field icon? string An icon's name
---@field type? "default"|"compact"|"step" `compact` has no box around it; `step` has none either and is one of a row of steps, joined by a line; "default" by default
---@field width? moonlit.Width `"stretch"`, `"content"` or pixels
---@field key? string|integer Which element it is when the script draws it anew

---A box that folds.
---@param label string The line that is always visible; inline Markdown
---@param options? moonlit.ExpanderOptions
---@param f? fun()
---@return moonlit.Container
---@overload fun(label: string, f: fun()): moonlit.Container
function ui.expander(label, options, f) end

---A box that folds.
---@param label string The line that is always visible; inline Markdown
---@param options? moonlit.ExpanderOptions
---@param f? fun()
---@return moonlit.Container
---@overload fun(self: moonlit.Handle, label: string, f: fun()): moonlit.Container
function handle:expander(label, options, f) end

---A place for one element: drawing in it replaces what is there.
---@return moonlit.Container
function ui.empty() end

---A place for one element: drawing in it replaces what is there.
---@return moonlit.Container
function handle:empty() end
