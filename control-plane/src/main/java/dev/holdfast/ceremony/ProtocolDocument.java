package dev.holdfast.ceremony;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;

/// What is printed, read aloud, ticked off and signed by everybody at the table.
///
/// @param title what is being done
/// @param rehearsal practised only: every page says so
/// @param people who is there, each with a line to sign on
/// @param facts fingerprints and hashes, name and value
/// @param steps in order, each with a box to tick
record ProtocolDocument(
        String title, boolean rehearsal, Instant at, List<String> people, List<Fact> facts, List<String> steps) {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);
    private static final String REHEARSAL = "REHEARSAL: nothing here is of value";

    record Fact(String name, String value) {}

    ProtocolDocument {
        people = List.copyOf(people);
        facts = List.copyOf(facts);
        steps = List.copyOf(steps);
    }

    /// In plain text, 80 columns; its SHA-256 goes into the record.
    String text() {
        StringBuilder text = new StringBuilder();
        String heading = "Holdfast: " + title;
        text.append(heading).append('\n').append("=".repeat(heading.length())).append('\n');
        if (rehearsal) {
            text.append("\n*** ").append(REHEARSAL).append(" ***\n");
        }
        text.append("\nAt ").append(TIME.format(at)).append(" by this machine's clock; by a watch: ______________\n\n");
        for (Fact fact : facts) {
            text.append(fact.name()).append(":\n    ").append(fact.value()).append('\n');
        }
        text.append("\nSteps\n-----\n");
        for (int i = 0; i < steps.size(); i++) {
            text.append("[ ] ").append(i + 1).append(". ").append(steps.get(i)).append('\n');
        }
        text.append("\nPeople\n------\n");
        for (String person : people) {
            text.append(person).append(": ______________________________ (signature, date)\n\n");
        }
        return text.toString();
    }

    /// The same as one page of HTML without anything from elsewhere, for printing.
    String html() {
        StringBuilder html = new StringBuilder();
        html.append("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>")
                .append(escaped(title))
                .append(
                        "</title><style>body{font:11pt/1.5 serif;max-width:42em;margin:2em auto}code{font:10pt monospace;"
                                + "overflow-wrap:anywhere}.rehearsal{border:3px solid;padding:.5em;font-weight:bold}li{list-style:none}"
                                + "td{padding:.2em 1em .2em 0;vertical-align:top}.sign{border-bottom:1px solid;width:20em;height:3em}"
                                + "</style>\n<h1>")
                .append(escaped(title))
                .append("</h1>\n");
        if (rehearsal) {
            html.append("<p class=\"rehearsal\">").append(REHEARSAL).append("</p>\n");
        }
        html.append("<p>At ")
                .append(TIME.format(at))
                .append(" by this machine's clock; by a watch: ______________</p>\n<table>\n");
        for (Fact fact : facts) {
            html.append("<tr><td>")
                    .append(escaped(fact.name()))
                    .append("<td><code>")
                    .append(escaped(fact.value()))
                    .append("</code>\n");
        }
        html.append("</table>\n<h2>Steps</h2>\n<ol>\n");
        for (int i = 0; i < steps.size(); i++) {
            html.append("<li>&#9744; ")
                    .append(i + 1)
                    .append(". ")
                    .append(escaped(steps.get(i)))
                    .append('\n');
        }
        html.append("</ol>\n<h2>People</h2>\n<table>\n");
        for (String person : people) {
            html.append("<tr><td>").append(escaped(person)).append("<td class=\"sign\">\n");
        }
        return html.append("</table></html>\n").toString();
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
