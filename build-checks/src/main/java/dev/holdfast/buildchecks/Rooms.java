package dev.holdfast.buildchecks;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// The rooms of a modular monolith: the flat packages beside its composition root, and who uses whom.
public final class Rooms {
    private static final int MOST_FILES = 30;
    private static final int MOST_PUBLIC = 20;

    private final JavaClasses classes;
    private final String root;
    private final Map<String, Set<String>> ground;

    /// @param root the composition root's package
    /// @param ground the rooms that every room may use and that are not drawn, each with those it
    ///     may use itself
    public Rooms(JavaClasses classes, String root, Map<String, Set<String>> ground) {
        this.classes = classes;
        this.root = root;
        this.ground = ground;
    }

    /// The arrows in the code between rooms that are drawn, each with the place where it is.
    public Map<Arrow, String> arrows() {
        Map<Arrow, String> found = new TreeMap<>();
        all().forEach((arrow, where) -> {
            if (!ground.containsKey(arrow.from()) && !ground.containsKey(arrow.to())) {
                found.put(arrow, where);
            }
        });
        return found;
    }

    private Map<Arrow, String> all() {
        Map<Arrow, String> found = new TreeMap<>();
        for (JavaClass from : classes) {
            for (Dependency dependency : from.getDirectDependenciesFromSelf()) {
                String left = room(from);
                String right = room(dependency.getTargetClass().getBaseComponentType());
                if (!left.equals(right) && !left.isEmpty() && !right.isEmpty()) {
                    found.putIfAbsent(new Arrow(left, right), dependency.getDescription());
                }
            }
        }
        return found;
    }

    /// Arrows in the code that the picture does not show.
    public List<String> notDrawn(Diagram diagram) {
        List<String> faults = new ArrayList<>();
        arrows().forEach((arrow, where) -> {
            if (!diagram.arrows().contains(arrow)) {
                faults.add("in the code but not drawn: " + arrow + "   (" + where + ")");
            }
        });
        return faults;
    }

    /// Arrows in the picture that the code does not have.
    public List<String> unused(Diagram diagram) {
        Set<Arrow> inCode = arrows().keySet();
        List<String> faults = new ArrayList<>();
        for (Arrow drawn : new TreeSet<>(diagram.arrows())) {
            if (!inCode.contains(drawn)) {
                faults.add("drawn but not in the code: " + drawn);
            }
        }
        return faults;
    }

    /// The rooms of the ground use only what they may, and nobody uses the composition root.
    public List<String> groundFaults() {
        List<String> faults = new ArrayList<>();
        all().forEach((arrow, where) -> {
            Set<String> may = ground.get(arrow.from());
            if (may != null && !may.contains(arrow.to())) {
                faults.add(arrow.from() + " may use only " + may + ", not " + arrow.to() + "   (" + where + ")");
            }
        });
        for (JavaClass from : classes) {
            for (Dependency dependency : from.getDirectDependenciesFromSelf()) {
                if (!from.getPackageName().equals(root)
                        && dependency.getTargetClass().getPackageName().equals(root)) {
                    faults.add("a room uses the composition root: " + dependency.getDescription());
                }
            }
        }
        return faults;
    }

    /// Flat, not overgrown, and with a door that can be read at a glance.
    public List<String> shapeFaults() {
        Map<String, Integer> files = new TreeMap<>();
        Map<String, Integer> doors = new TreeMap<>();
        Set<String> faults = new TreeSet<>();
        for (JavaClass one : classes) {
            String below = below(one);
            if (below.contains(".")) {
                faults.add("a room is one flat package: " + one.getPackageName());
            }
            if (one.isTopLevelClass()
                    && !below.isEmpty()
                    && !one.getSimpleName().equals("package-info")) {
                files.merge(below, 1, Integer::sum);
                doors.merge(
                        below,
                        one.getModifiers().contains(com.tngtech.archunit.core.domain.JavaModifier.PUBLIC) ? 1 : 0,
                        Integer::sum);
            }
        }
        files.forEach((room, count) -> {
            if (count > MOST_FILES) {
                faults.add(
                        "the room " + room + " has " + count + " files, more than " + MOST_FILES + ": it is two rooms");
            }
        });
        doors.forEach((room, count) -> {
            if (count > MOST_PUBLIC) {
                faults.add("the door of " + room + " has " + count + " public types, more than " + MOST_PUBLIC);
            }
            if (count == 0) {
                faults.add("the room " + room + " has no public type: no door");
            }
        });
        return List.copyOf(faults);
    }

    private String room(JavaClass one) {
        String below = below(one);
        int dot = below.indexOf('.');
        return dot < 0 ? below : below.substring(0, dot);
    }

    private String below(JavaClass one) {
        String name = one.getPackageName();
        return name.startsWith(root + ".") ? name.substring(root.length() + 1) : "";
    }
}
