// Parses Bicep files with tree-sitter and prints one line of JSON: what each declares, with literal values where it has
// them. An expression that is none becomes { "$": its text }. Parameter files are read with `param x = …` as variables,
// which the grammar knows and parameters with values it does not.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const Parser = require('web-tree-sitter');
await Parser.init();
const parser = new Parser();
parser.setLanguage(await Parser.Language.load(require.resolve('tree-sitter-bicep/tree-sitter-bicep.wasm')));

const named = (node, type) => node.namedChildren.filter((child) => child.type !== 'comment'
    && (type === undefined || child.type === type));

function visit(node, action) {
    action(node);
    node.children.forEach((child) => visit(child, action));
}

const isPlain = (node) => node.type === 'string' && named(node).every((part) => part.type !== 'interpolation');
const unquoted = (node) => node.text.replace(/^'+|'+$/g, '').replace(/\\'/g, "'");

function value(node) {
    switch (node.type) {
        case 'string': return isPlain(node) ? unquoted(node) : { $: node.text };
        case 'number': return Number(node.text);
        case 'boolean': return node.text === 'true';
        case 'null': return null;
        case 'array': return named(node).map(value);
        case 'object': return Object.fromEntries(named(node, 'object_property').map((property) => {
            const [key, of] = named(property);
            return [isPlain(key) ? unquoted(key) : key.text, of === undefined ? null : value(of)];
        }));
        default: return { $: node.text };
    }
}

// The object that a declaration is about, under its condition and its loop.
function body(node) {
    let found = null;
    visit(node, (child) => { if (found === null && child.type === 'object') found = child; });
    return found === null ? null : value(found);
}

function decorators(declaration) {
    const names = [];
    for (let before = declaration.previousNamedSibling; before !== null; before = before.previousNamedSibling) {
        if (before.type !== 'decorators' && before.type !== 'comment') break;
        visit(before, (node) => {
            if (node.type === 'call_expression') names.push(node.childForFieldName('function')?.text);
        });
    }
    return names;
}

function parse(path) {
    let text = fs.readFileSync(path, 'utf8');
    if (path.endsWith('.bicepparam')) text = text.replace(/^param /gm, 'var ');
    const root = parser.parse(text).rootNode;
    const file = {
        path, errors: [], parameters: [], variables: [], resources: [], modules: [], outputs: [], uses: [], strings: [],
        using: null,
    };
    visit(root, (node) => {
        const line = node.startPosition.row + 1;
        if (node.isError || node.isMissing) file.errors.push(`${line}: ${node.text.slice(0, 60)}`);
        if (node.type === 'string') file.strings.push({ line, text: unquoted(node) });
        if (node.type === 'identifier' && !['parameter_declaration', 'variable_declaration', 'resource_declaration',
            'module_declaration', 'output_declaration', 'object_property'].includes(node.parent.type)) {
            file.uses.push(node.text);
        } else if (node.type === 'identifier' && node.parent.namedChildren.find((child) => child.type === 'identifier')
            .id !== node.id) {
            file.uses.push(node.text);
        }
    });
    for (const node of named(root)) {
        const parts = named(node);
        const name = parts[0]?.text;
        switch (node.type) {
            case 'parameter_declaration':
                file.parameters.push({
                    name, type: parts.find((part) => part.type === 'type')?.text ?? null,
                    hasDefault: parts.length > 2, decorators: decorators(node),
                });
                break;
            case 'variable_declaration':
                file.variables.push({ name, value: value(parts[1]) });
                break;
            case 'resource_declaration': {
                const [type, version] = unquoted(parts[1]).split('@');
                file.resources.push({
                    name, type, version, existing: / existing =/.test(node.text.split('\n', 1)[0]), body: body(node),
                });
                break;
            }
            case 'module_declaration':
                file.modules.push({ name, file: unquoted(parts[1]), parameters: body(node)?.params ?? {} });
                break;
            case 'output_declaration':
                file.outputs.push({ name, text: parts[parts.length - 1].text });
                break;
            case 'using_statement':
                file.using = unquoted(parts[0]);
                break;
        }
    }
    return file;
}

console.log(JSON.stringify(process.argv.slice(2).map(parse)));
