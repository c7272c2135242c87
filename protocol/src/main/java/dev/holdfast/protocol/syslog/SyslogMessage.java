package dev.holdfast.protocol.syslog;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.regex.Pattern;

/// A syslog message (RFC 5424 section 6). Names and text are as sent: not safe to show.
///
/// @param severity 0 (gravest) to 7
/// @param structuredData as it stands in the message; empty for none
public record SyslogMessage(
        int facility,
        int severity,
        Optional<Instant> timestamp,
        Optional<String> hostname,
        Optional<String> application,
        Optional<String> process,
        Optional<String> messageId,
        String structuredData,
        String text) {
    private static final Pattern TIMESTAMP =
            Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,6})?(Z|[+-]\\d\\d:\\d\\d)");

    /// Walks the header of section 6.2, the structured data of section 6.3, and what is left.
    public static SyslogMessage parse(byte[] message) throws MalformedSyslogException {
        Cursor in = new Cursor(message);

        // 1. PRI: one to three digits, at most 191, no leading zero (section 6.2.1).
        in.expect('<');
        int priority = in.number(3);
        in.expect('>');
        if (priority > 191) {
            throw new MalformedSyslogException("a priority above 191");
        }

        // 2. VERSION 1, then the five header fields, each `-` where there is none.
        if (in.number(3) != 1) {
            throw new MalformedSyslogException("a version other than 1");
        }
        in.expect(' ');
        Optional<Instant> timestamp = timestamp(in.token(32));
        in.expect(' ');
        Optional<String> hostname = in.token(255);
        in.expect(' ');
        Optional<String> application = in.token(48);
        in.expect(' ');
        Optional<String> process = in.token(128);
        in.expect(' ');
        Optional<String> messageId = in.token(32);
        in.expect(' ');

        // 3. STRUCTURED-DATA, then MSG, which may be absent; a byte order mark says UTF-8 and is no part of it.
        String structured = in.structuredData();
        String text = in.rest();
        return new SyslogMessage(
                priority / 8, priority % 8, timestamp, hostname, application, process, messageId, structured, text);
    }

    private static Optional<Instant> timestamp(Optional<String> token) throws MalformedSyslogException {
        if (token.isEmpty()) {
            return Optional.empty();
        }
        if (!TIMESTAMP.matcher(token.get()).matches()) {
            throw new MalformedSyslogException("a timestamp of another form"); // section 6.2.3
        }
        try {
            return Optional.of(OffsetDateTime.parse(token.get()).toInstant());
        } catch (DateTimeException e) {
            throw new MalformedSyslogException("a timestamp that is no time");
        }
    }

    private static final class Cursor {
        private final byte[] octets;
        private int at;

        Cursor(byte[] octets) {
            this.octets = octets;
        }

        private int peek() {
            return at < octets.length ? octets[at] & 0xff : -1;
        }

        void expect(char c) throws MalformedSyslogException {
            if (peek() != c) {
                throw new MalformedSyslogException("'" + c + "' expected at octet " + at);
            }
            at++;
        }

        int number(int mostDigits) throws MalformedSyslogException {
            int start = at;
            int value = 0;
            while (peek() >= '0' && peek() <= '9' && at - start < mostDigits) {
                value = value * 10 + (octets[at++] - '0');
            }
            if (at == start || (octets[start] == '0' && at - start > 1)) {
                throw new MalformedSyslogException("a number expected at octet " + start);
            }
            return value;
        }

        /// PRINTUSASCII, `-` for none.
        Optional<String> token(int most) throws MalformedSyslogException {
            int start = at;
            while (peek() > 32 && peek() < 127) {
                at++;
            }
            if (at == start || at - start > most) {
                throw new MalformedSyslogException("a header field of a wrong length at octet " + start);
            }
            String token = new String(octets, start, at - start, StandardCharsets.US_ASCII);
            return token.equals("-") ? Optional.empty() : Optional.of(token);
        }

        /// `-`, or elements in brackets, in whose quoted values `"`, `\` and `]` are escaped.
        String structuredData() throws MalformedSyslogException {
            if (peek() == '-') {
                at++;
                return "";
            }
            int start = at;
            if (peek() != '[') {
                throw new MalformedSyslogException("structured data expected at octet " + at);
            }
            while (peek() == '[') {
                element();
            }
            return new String(octets, start, at - start, StandardCharsets.UTF_8);
        }

        private void element() throws MalformedSyslogException {
            boolean quoted = false;
            while (true) {
                int c = peek();
                if (c < 0) {
                    throw new MalformedSyslogException("structured data that does not end");
                }
                at++;
                if (quoted && c == '\\') {
                    at++;
                } else if (c == '"') {
                    quoted = !quoted;
                } else if (c == ']') {
                    if (quoted) {
                        throw new MalformedSyslogException("an unescaped ']' in a value"); // section 6.3.3
                    }
                    return;
                }
            }
        }

        String rest() throws MalformedSyslogException {
            if (at >= octets.length) {
                return "";
            }
            expect(' ');
            if (octets.length - at >= 3
                    && (octets[at] & 0xff) == 0xEF
                    && (octets[at + 1] & 0xff) == 0xBB
                    && (octets[at + 2] & 0xff) == 0xBF) {
                at += 3;
            }
            return new String(octets, at, octets.length - at, StandardCharsets.UTF_8);
        }
    }
}
