package dev.holdfast.buildchecks;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The picture of rooms and arrows: the first mermaid graph of a markdown page.
public record Diagram(Set<Arrow> arrows) {
    private static final Pattern GRAPH = Pattern.compile("```mermaid\\s*\\n(.*?)\\n```", Pattern.DOTALL);
    private static final Pattern ARROW = Pattern.compile("([a-z]+)\\s*-->\\s*([a-z]+)");
    private static final Pattern HEADING = Pattern.compile("graph\\s+\\w+");

    public Diagram {
        arrows = Set.copyOf(arrows);
    }

    /// @throws IllegalArgumentException when there is no graph, or a line of it can't be read: a line that nobody
    ///     understands must not look like a rule
    public static Diagram parse(String markdown) {
        Matcher graph = GRAPH.matcher(markdown);
        if (!graph.find()) {
            throw new IllegalArgumentException("no mermaid graph");
        }
        Set<Arrow> arrows = new TreeSet<>();
        for (String line : graph.group(1).lines().map(String::strip).toList()) {
            Matcher arrow = ARROW.matcher(line);
            if (arrow.matches()) {
                if (!arrows.add(new Arrow(arrow.group(1), arrow.group(2)))) {
                    throw new IllegalArgumentException("drawn twice: " + line);
                }
            } else if (!line.isEmpty()
                    && !line.startsWith("%%")
                    && !HEADING.matcher(line).matches()) {
                throw new IllegalArgumentException("not an arrow 'a --> b': " + line);
            }
        }
        return new Diagram(arrows);
    }

    /// A way from a room back to itself along the arrows, such as `[a, b, a]`; empty when there is none.
    public static List<String> circle(Set<Arrow> arrows) {
        Set<String> finished = new TreeSet<>();
        for (Arrow start : new TreeSet<>(arrows)) {
            Deque<String> way = new ArrayDeque<>();
            List<String> found = walk(start.from(), arrows, way, finished);
            if (!found.isEmpty()) {
                return found;
            }
        }
        return List.of();
    }

    private static List<String> walk(String room, Set<Arrow> arrows, Deque<String> way, Set<String> finished) {
        if (finished.contains(room)) {
            return List.of();
        }
        if (way.contains(room)) {
            List<String> circle = new ArrayList<>(way);
            circle = new ArrayList<>(circle.subList(circle.indexOf(room), circle.size()));
            circle.add(room);
            return circle;
        }
        way.addLast(room);
        for (Arrow arrow : new TreeSet<>(arrows)) {
            if (arrow.from().equals(room)) {
                List<String> found = walk(arrow.to(), arrows, way, finished);
                if (!found.isEmpty()) {
                    return found;
                }
            }
        }
        way.removeLast();
        finished.add(room);
        return List.of();
    }
}
