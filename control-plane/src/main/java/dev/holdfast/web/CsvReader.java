package dev.holdfast.web;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Reads CSV (RFC 4180) record by record: quoted fields, doubled quotes, CRLF or LF, strict UTF-8, bounded records.
public final class CsvReader {
    private static final int MOST_FIELDS = 80;
    private static final int LONGEST_RECORD = 20_000;

    private final Reader in;
    private int line = 1;
    private int ahead = -2;

    public CsvReader(InputStream in) {
        this.in = new java.io.BufferedReader(new InputStreamReader(
                in,
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT)));
    }

    /// @param line on which the record begins, from 1
    public record Row(int line, List<String> fields) {}

    /// @throws Problem MALFORMED_REQUEST when the text is no CSV from here on
    public Optional<Row> next() throws IOException {
        if (peek() < 0) {
            return Optional.empty();
        }
        int start = line;
        List<String> fields = new ArrayList<>();
        int length = 0;
        while (true) {
            StringBuilder field = new StringBuilder();
            int end = field(field, start);
            length += field.length();
            fields.add(field.toString());
            if (fields.size() > MOST_FIELDS || length > LONGEST_RECORD) {
                throw Problem.malformed("line " + start, "has more than " + MOST_FIELDS + " fields or is too long");
            }
            if (end != ',') {
                return Optional.of(new Row(start, fields));
            }
        }
    }

    /// @return what ended the field: a comma, a line feed, or -1
    private int field(StringBuilder into, int start) throws IOException {
        if (peek() == '"') {
            read();
            while (true) {
                int c = read();
                if (c < 0) {
                    throw Problem.malformed("line " + start, "a quoted field does not end");
                }
                if (c == '"') {
                    if (peek() != '"') {
                        break;
                    }
                    read();
                }
                append(into, c, start);
            }
            int c = read();
            if (c == '\r') {
                c = read();
            }
            if (c != ',' && c != '\n' && c >= 0) {
                throw Problem.malformed("line " + start, "text follows a quoted field");
            }
            return c;
        }
        while (true) {
            int c = read();
            if (c == '\r' && peek() == '\n') {
                c = read();
            }
            if (c == ',' || c == '\n' || c < 0) {
                return c;
            }
            append(into, c, start);
        }
    }

    private static void append(StringBuilder into, int c, int start) {
        if (into.length() >= LONGEST_RECORD) {
            throw Problem.malformed("line " + start, "is too long");
        }
        into.append((char) c);
    }

    private int peek() throws IOException {
        if (ahead == -2) {
            ahead = in.read();
        }
        return ahead;
    }

    private int read() throws IOException {
        int c = peek();
        ahead = -2;
        if (c == '\n') {
            line++;
        }
        return c;
    }

    /// What [#written] was given.
    public static String plain(String field) {
        return field.startsWith("'") ? field.substring(1) : field;
    }

    /// A field as CSV writes it. Text that a spreadsheet would run as a formula gets an apostrophe before it.
    public static String written(String value) {
        String safe = !value.isEmpty() && "=+-@\t\r'".indexOf(value.charAt(0)) >= 0 ? "'" + value : value;
        return safe.chars().anyMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r')
                ? "\"" + safe.replace("\"", "\"\"") + "\""
                : safe;
    }
}
