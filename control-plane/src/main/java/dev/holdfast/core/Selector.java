package dev.holdfast.core;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Which devices are meant, as a conjunction of requirements over labels:
/// `district=north, kind in (meter,gateway), !retired, site!=lab`. The empty selector means all.
///
/// `id`, `model`, `state` and `firmware` are read from the device's record; every other key is a label.
public record Selector(List<Requirement> requirements) {
    public static final Selector ALL = new Selector(List.of());
    private static final int MOST_TEXT = 2_000;
    private static final String KEY = "([a-z][a-z0-9._-]{0,62})";
    private static final String VALUE = "([A-Za-z0-9._ -]{0,63})";
    private static final Pattern EQUALS = Pattern.compile(KEY + "\\s*(=|==|!=)\\s*" + VALUE);
    private static final Pattern IN = Pattern.compile(KEY + "\\s+(in|notin)\\s*\\(([^()]*)\\)");
    private static final Pattern PRESENT = Pattern.compile("(!?)\\s*" + KEY);

    public Selector {
        requirements = List.copyOf(requirements);
    }

    /// One condition on one key.
    public sealed interface Requirement {
        String key();

        record In(String key, Set<String> values) implements Requirement {
            public In {
                values = Set.copyOf(values);
            }
        }

        record NotIn(String key, Set<String> values) implements Requirement {
            public NotIn {
                values = Set.copyOf(values);
            }
        }

        record Present(String key) implements Requirement {}

        record Absent(String key) implements Requirement {}
    }

    /// @throws IllegalArgumentException naming the part that can't be read
    public static Selector parse(String text) {
        if (text.length() > MOST_TEXT) {
            throw new IllegalArgumentException("selector longer than " + MOST_TEXT + " characters");
        }
        List<Requirement> parsed = new ArrayList<>();
        for (String part : parts(text)) {
            parsed.add(requirement(part));
        }
        return new Selector(parsed);
    }

    /// Whether a device with these attributes (labels and `id`, `model`, `state`, `firmware`) is meant.
    public boolean matches(Map<String, String> attributes) {
        return requirements.stream().allMatch(r -> matches(r, attributes.get(r.key())));
    }

    private static boolean matches(Requirement requirement, @Nullable String value) {
        return switch (requirement) {
            case Requirement.In in -> value != null && in.values().contains(value);
            case Requirement.NotIn notIn -> value == null || !notIn.values().contains(value);
            case Requirement.Present _ -> value != null;
            case Requirement.Absent _ -> value == null;
        };
    }

    private static Requirement requirement(String part) {
        Matcher in = IN.matcher(part);
        if (in.matches()) {
            Set<String> values = new HashSet<>();
            for (String value : in.group(3).split(",", -1)) {
                values.add(value.trim());
            }
            return in.group(2).equals("in")
                    ? new Requirement.In(in.group(1), values)
                    : new Requirement.NotIn(in.group(1), values);
        }
        Matcher equals = EQUALS.matcher(part);
        if (equals.matches()) {
            Set<String> value = Set.of(equals.group(3).trim());
            return equals.group(2).equals("!=")
                    ? new Requirement.NotIn(equals.group(1), value)
                    : new Requirement.In(equals.group(1), value);
        }
        Matcher present = PRESENT.matcher(part);
        if (present.matches()) {
            return present.group(1).isEmpty()
                    ? new Requirement.Present(present.group(2))
                    : new Requirement.Absent(present.group(2));
        }
        throw new IllegalArgumentException("not a requirement: '" + part.replaceAll("[^\\x20-\\x7e]", "?")
                + "'; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key");
    }

    /// Splits at commas that are not inside parentheses.
    private static List<String> parts(String text) {
        List<String> parts = new ArrayList<>();
        int depth = 0;
        int start = 0;
        for (int i = 0; i <= text.length(); i++) {
            char c = i == text.length() ? ',' : text.charAt(i);
            if (c == '(') {
                depth++;
            } else if (c == ')') {
                depth--;
            } else if (c == ',' && (depth == 0 || i == text.length())) {
                String part = text.substring(start, i).trim();
                if (!part.isEmpty()) {
                    parts.add(part);
                }
                start = i + 1;
            }
        }
        return parts;
    }
}
