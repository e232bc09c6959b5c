// Writes src/api/schema.ts: the types of gateway/openapi.json and where each operation lies. `--check` only compares.
import { readFile, writeFile } from "node:fs/promises";

const SOURCE = new URL("../../gateway/openapi.json", import.meta.url);
const TARGET = new URL("../src/api/schema.ts", import.meta.url);

/** Returns the module's text. */
export function render(api) {
  const schemas = Object.entries(api.components.schemas).map(([name, schema]) => declare(name, schema));
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      ...operation,
    })),
  );
  return [
    "// Written by `npm run api` from gateway/openapi.json. Not to be edited.\n",
    ...schemas,
    "export interface Operations {",
    ...operations.map(operationType),
    "}\n",
    "export const PLACES = {",
    ...operations.map(({ operationId, method, path }) => `  ${operationId}: ["${method}", "${path}"],`),
    "} as const satisfies Record<keyof Operations, readonly [string, string]>;\n",
  ].join("\n");
}

function declare(name, schema) {
  const note = schema.description ? `/** ${schema.description.replaceAll("*/", "")} */\n` : "";
  return `${note}export type ${name} = ${type(schema)};\n`;
}

function type(schema) {
  if (schema === undefined || Object.keys(schema).length === 0) return "unknown";
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return [...new Set(options.map(type))].join(" | ");
  if (schema.allOf) return schema.allOf.map(type).join(" & ");
  switch (schema.type) {
    case "array":
      return schema.prefixItems
        ? `[${schema.prefixItems.map(type).join(", ")}]`
        : `Array<${type(schema.items)}>`;
    case "object":
      return object(schema);
    case "integer":
      return "number";
    case undefined:
      return "unknown";
    default:
      return schema.type;
  }
}

function object({ properties, required = [], additionalProperties }) {
  if (!properties)
    return `Record<string, ${type(additionalProperties === true ? {} : additionalProperties)}>`;
  const fields = Object.entries(properties).map(([name, schema]) => {
    const note = schema.description ? `  /** ${schema.description} */\n` : "";
    return `${note}  ${JSON.stringify(name)}${required.includes(name) ? "" : "?"}: ${type(schema)};`;
  });
  return `{\n${fields.join("\n")}\n}`;
}

function operationType({ operationId, parameters = [], requestBody, responses }) {
  const place = (where) => parameters.filter((each) => each.in === where);
  const path = place("path").map(({ name }) => `${name}: string | number`);
  const query = place("query").map(({ name, schema }) => `${name}?: ${type(schema)}`);
  const body = requestBody?.content["application/json"]?.schema;
  const good = Object.entries(responses).find(([status]) => status.startsWith("2"))?.[1];
  const answer = good?.content?.["application/json"]?.schema;
  return `  ${operationId}: { path: { ${path.join("; ")} }; query: { ${query.join("; ")} }; body: ${
    body ? type(body) : "never"
  }; answer: ${answer ? type(answer) : "void"} };`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  await writeFile(TARGET, render(JSON.parse(await readFile(SOURCE, "utf8"))));
}
