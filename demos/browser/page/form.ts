/** The form of a tool: a labelled control for each argument, and the arguments that it holds. */
import type { JsonObject, Tool } from 'rxmcp';
import { element } from './element.ts';
import { fieldsOf, type Field } from './fields.ts';

/** A control, and what it says; undefined: nothing. */
interface Control {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly value: () => unknown;
}

/**
 * Puts a tool's form in the place of whatever form there was.
 *
 * @param run - called with the arguments when the form is sent
 */
export const showForm = (form: HTMLFormElement, tool: Tool, run: (args: JsonObject) => void): void => {
  const controls = fieldsOf(tool).map(controlOf);
  form.replaceChildren(
    element('h3', {}, tool.title ?? tool.name),
    ...(tool.description === undefined ? [] : [element('p', { class: 'quiet' }, tool.description)]),
    ...controls.map(({ nodes }) => element('div', { class: 'field' }, ...nodes)),
    element('button', { type: 'submit', class: 'primary' }, 'Run'),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    const told = controls.map(({ name, value }) => [name, value()] as const);
    run(Object.fromEntries(told.filter(([, value]) => value !== undefined)));
  };
};

/** Where there is no tool to call. */
export const showNoForm = (form: HTMLFormElement): void => {
  form.replaceChildren(element('p', { class: 'quiet' }, 'Choose a tool.'));
  form.onsubmit = (event) => event.preventDefault();
};

const controlOf = (field: Field, index: number): Control => {
  const { name, title, description, required } = field;
  const id = `field-${index}`;
  const hint = `${id}-hint`;
  const attributes = { id, required, 'aria-describedby': description === undefined ? undefined : hint };
  const named = (control: HTMLElement, value: () => unknown): Control => ({
    name,
    nodes: [
      element('label', { for: id }, title, ...(required ? [] : [element('span', { class: 'quiet' }, ' (optional)')])),
      control,
      ...(description === undefined ? [] : [element('p', { id: hint, class: 'quiet' }, description)]),
    ],
    value,
  });
  if (field.kind === 'choice') {
    const none = required ? [] : [element('option', { value: '' }, 'none')];
    const choices = field.choices.map((choice) =>
      element('option', { value: choice, selected: choice === field.initial }, choice),
    );
    const control = element('select', attributes, ...none, ...choices);
    return named(control, () => (control.value === '' ? undefined : control.value));
  }
  if (field.kind === 'yes-or-no') {
    // A box that must be ticked would be no choice.
    const control = element('input', { ...attributes, required: false, type: 'checkbox', checked: field.initial });
    return named(control, () => control.checked);
  }
  if (field.kind === 'number') {
    const control = element('input', {
      ...attributes,
      type: 'number',
      value: field.initial,
      min: field.least,
      max: field.most,
      step: field.whole ? 1 : 'any',
    });
    return named(control, () => (control.value === '' ? undefined : control.valueAsNumber));
  }
  if (field.kind === 'text') {
    const control = element('input', { ...attributes, type: 'text', value: field.initial, autocomplete: 'off' });
    return named(control, () => (control.value === '' && !required ? undefined : control.value));
  }
  const control = element('textarea', { ...attributes, rows: 3, spellcheck: 'false' }, field.initial);
  control.oninput = () => control.setCustomValidity(isJson(control.value) ? '' : 'This is no JSON.');
  return named(control, () => (control.value === '' ? undefined : (JSON.parse(control.value) as unknown)));
};

const isJson = (text: string): boolean => {
  try {
    return text === '' || JSON.parse(text) !== undefined;
  } catch {
    return false;
  }
};
