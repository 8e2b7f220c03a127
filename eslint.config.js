import js from "@eslint/js";

/** For files of the page and its library: no build, so they must be right as they stand. */
export default [
  js.configs.recommended,
  {
    files: ["static/**/*.js"],
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-undef": "off", // the type checker knows which names there are
      "no-empty": ["error", { allowEmptyCatch: true }],
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrors: "all" }],
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
      eqeqeq: "error",
      "no-implicit-coercion": "error",
      "no-throw-literal": "error",
      "no-promise-executor-return": "off",
      "no-self-compare": "error",
      "no-template-curly-in-string": "error",
      "no-unused-private-class-members": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "array-callback-return": "error",
      "no-shadow": ["error", { builtinGlobals: false }],
      "object-shorthand": "error",
      "require-atomic-updates": "off",
    },
  },
  {
    files: ["static/absent.js", "static/early-presses.js"], // browsers run them that can read nothing else of the page
    languageOptions: { ecmaVersion: 2017, sourceType: "script" },
    rules: { "no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" }] },
  },
];
