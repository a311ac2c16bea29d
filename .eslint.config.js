import eslint from '@eslint/js';
import rxjs from 'eslint-plugin-rxjs-x';
import { defineConfig, globalIgnores } from 'eslint/config';
import typescript from 'typescript-eslint';

const methodSwitch = {
  selector:
    ":matches(SwitchStatement[discriminant.name='method'], SwitchStatement[discriminant.property.name='method'])",
  message: 'A method is a row of the table in lib/protocol/methods.ts: look it up there instead of switching on it.',
};

const rootEffect = {
  name: 'effect',
  message: "Import the module that is needed ('effect/Effect'): the root loads all of them.",
};

/** What exists in Node only; lib/node, lib/cluster and lib/cli may use it, nothing else in lib. */
const nodeFolders = ['lib/node/**', 'lib/cluster/**', 'lib/cli/**'];
const nodeGlobals = [
  'process',
  'Buffer',
  'global',
  'setImmediate',
  'clearImmediate',
  '__dirname',
  '__filename',
  'require',
];

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', '.bench/']),
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
  },
  {
    files: ['**/*.ts'],
    extends: [eslint.configs.recommended, typescript.configs.recommendedTypeChecked, rxjs.configs.strict],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: ['error', 'always'],
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-deprecated': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unnecessary-boolean-literal-compare': 'error',
      '@typescript-eslint/no-unnecessary-type-arguments': 'error',
      '@typescript-eslint/prefer-optional-chain': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'error',
      // The compiler says it (noUnusedLocals, noUnusedParameters), and knows that `typeof name` is a use.
      '@typescript-eslint/no-unused-vars': 'off',
      // Which characters a wire format forbids is said with them.
      'no-control-regex': 'off',
      // A handler may be written `async` for its shape alone.
      '@typescript-eslint/require-await': 'off',
      // It takes every value that `typeof` has told apart for an object; templates are watched below.
      '@typescript-eslint/no-base-to-string': 'off',
      // Numbers and booleans read well in a message; objects do not.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true, allowAny: false, allowRegExp: true },
      ],

      // `lift` and `Subscriber` subclasses are how a hot operator stays cheap; Subjects never are subclassed here.
      'rxjs-x/no-subclass': 'off',
      // What fails may be anything that a user's handler threw.
      'rxjs-x/throw-error': ['error', { allowThrowingAny: false, allowThrowingUnknown: true }],
      // Completing operators after takeUntil are harmless; every other one keeps an inner subscription alive (a leak).
      'rxjs-x/no-unsafe-takeuntil': 'error',
      'rxjs-x/no-ignored-subscription': 'error',
      'rxjs-x/no-ignored-subscribe': 'error',
    },
  },
  {
    files: ['lib/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': ['error', methodSwitch],
      'no-restricted-imports': [
        'error',
        {
          paths: [rootEffect, { name: 'rxjs/operators', message: "Import operators from 'rxjs'." }],
          patterns: [
            { regex: '^@effect/schema', message: 'lib/protocol/schema.ts is the seam: import Schema from there.' },
            { regex: '^rxmcp', message: 'Inside lib, import the file itself.' },
          ],
        },
      ],
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
  },
  {
    files: ['lib/protocol/schema.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [rootEffect] }] },
  },
  {
    files: ['lib/**/*.ts'],
    ignores: nodeFolders,
    rules: {
      'no-restricted-globals': [
        'error',
        ...nodeGlobals.map((name) => ({
          name,
          message: 'The core also runs in a browser: only lib/node may use this.',
        })),
      ],
    },
  },
  {
    // Main programs and specs subscribe for as long as they run, and want an unexpected error to end them.
    files: ['specs/**/*.ts', 'demos/**/*.ts', '.scripts/**/*.ts'],
    rules: {
      'rxjs-x/no-ignored-default-value': 'off',
      'rxjs-x/no-ignored-error': 'off',
      'rxjs-x/no-ignored-subscribe': 'off',
      'rxjs-x/no-ignored-subscription': 'off',
    },
  },
  {
    files: ['specs/**/*.ts'],
    rules: {
      // Specs are also about what nobody should write: errors that are none, types that are empty.
      'rxjs-x/no-implicit-any-catch': 'off',
      'rxjs-x/throw-error': 'off',
      '@typescript-eslint/no-empty-object-type': 'off',
      '@typescript-eslint/no-unnecessary-boolean-literal-compare': 'off',
      // `expect(spy.method)` and JSON of a foreign peer are everyday sights in a spec.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // Plain scripts, as a user writes them; the specs that start them find a name that is not there.
    files: ['**/*.js', '**/*.mjs'],
    extends: [eslint.configs.recommended],
    rules: { 'no-undef': 'off' },
  },
);
