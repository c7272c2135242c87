package dev.holdfast.protocol.swu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads the libconfig language (https://hyperrealm.github.io/libconfig/libconfig_manual.html, "Configuration
/// Files")
/// without `@include`: settings `name = value;`, groups `{}`, lists `()`, arrays `[]`, strings, numbers,
/// booleans,
/// comments.
///
/// Values become `Map`, `List` and `String` (numbers and booleans stay as they were written).
final class Libconfig {
    private static final int DEEPEST = 16;
    private static final int MOST_SETTINGS = 10_000;

    private final String text;
    private int at;
    private int settings;

    private Libconfig(String text) {
        this.text = text;
    }

    static Map<String, Object> parse(String text) throws SwuException {
        Libconfig parser = new Libconfig(text);
        Map<String, Object> root = parser.settings(0);
        if (parser.at < text.length()) {
            throw parser.malformed("something follows the last setting");
        }
        return root;
    }

    private Map<String, Object> settings(int depth) throws SwuException {
        Map<String, Object> all = new LinkedHashMap<>();
        while (true) {
            blank();
            if (at == text.length() || text.charAt(at) == '}') {
                return all;
            }
            String name = name();
            blank();
            if (!take('=') && !take(':')) {
                throw malformed("'=' is missing after " + name);
            }
            if (++settings > MOST_SETTINGS || all.put(name, value(depth)) != null) {
                throw malformed("too many settings, or one twice");
            }
            blank();
            if (!take(';')) {
                take(',');
            }
        }
    }

    private Object value(int depth) throws SwuException {
        if (depth > DEEPEST) {
            throw malformed("nested too deep");
        }
        blank();
        if (take('{')) {
            Map<String, Object> group = settings(depth + 1);
            require('}');
            return group;
        }
        if (take('(')) {
            return elements(')', depth);
        }
        if (take('[')) {
            return elements(']', depth);
        }
        return at < text.length() && text.charAt(at) == '"' ? strings() : scalar();
    }

    private List<Object> elements(char end, int depth) throws SwuException {
        List<Object> all = new ArrayList<>();
        blank();
        while (!take(end)) {
            if (++settings > MOST_SETTINGS) {
                throw malformed("too many elements");
            }
            all.add(value(depth + 1));
            blank();
            if (!take(',') && (at == text.length() || text.charAt(at) != end)) {
                throw malformed("',' or '" + end + "' is missing");
            }
            blank();
        }
        return all;
    }

    /// Adjacent strings are one.
    private String strings() throws SwuException {
        StringBuilder all = new StringBuilder();
        while (take('"')) {
            while (!take('"')) {
                char c = next();
                all.append(c == '\\' ? escaped() : c);
            }
            blank();
        }
        return all.toString();
    }

    private char escaped() throws SwuException {
        char c = next();
        return switch (c) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'f' -> '\f';
            case 'x' -> {
                String digits = "" + next() + next();
                try {
                    yield (char) Integer.parseInt(digits, 16);
                } catch (NumberFormatException e) {
                    throw malformed("a bad escape");
                }
            }
            default -> c;
        };
    }

    private String scalar() throws SwuException {
        int from = at;
        while (at < text.length()
                && (Character.isLetterOrDigit(text.charAt(at)) || "+-.".indexOf(text.charAt(at)) >= 0)) {
            at++;
        }
        if (from == at) {
            throw malformed("a value is missing");
        }
        return text.substring(from, at);
    }

    private String name() throws SwuException {
        int from = at;
        while (at < text.length()
                && (Character.isLetterOrDigit(text.charAt(at)) || "-_*".indexOf(text.charAt(at)) >= 0)) {
            at++;
        }
        if (from == at) {
            throw malformed("a name is missing");
        }
        return text.substring(from, at);
    }

    private void blank() throws SwuException {
        while (at < text.length()) {
            if (Character.isWhitespace(text.charAt(at))) {
                at++;
            } else if (text.startsWith("/*", at)) {
                int end = text.indexOf("*/", at + 2);
                if (end < 0) {
                    throw malformed("a comment does not end");
                }
                at = end + 2;
            } else if (text.startsWith("//", at) || text.charAt(at) == '#') {
                int end = text.indexOf('\n', at);
                at = end < 0 ? text.length() : end + 1;
            } else {
                return;
            }
        }
    }

    private char next() throws SwuException {
        if (at == text.length()) {
            throw malformed("a string does not end");
        }
        return text.charAt(at++);
    }

    private boolean take(char c) {
        boolean here = at < text.length() && text.charAt(at) == c;
        if (here) {
            at++;
        }
        return here;
    }

    private void require(char c) throws SwuException {
        if (!take(c)) {
            throw malformed("'" + c + "' is missing");
        }
    }

    private SwuException malformed(String what) {
        return new SwuException(SwuException.Reason.MALFORMED, "sw-description at " + at + ": " + what);
    }
}
