package dev.holdfast.buildchecks;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// The rules that hold in every module: names, null-safety, length.
public final class HouseRules {
    private static final List<String> EMPTY_WORDS =
            List.of("Impl", "Manager", "Helper", "Util", "Utils", "Dto", "DTO", "Mapper");
    private static final Set<String> EMPTY_ROOMS =
            Set.of("impl", "internal", "dto", "util", "utils", "helper", "helpers", "common", "misc");
    private static final int MOST_LINES = 600;

    private HouseRules() {}

    /// The compiled classes of a module, tests not among them.
    ///
    /// @param module the folder of the module
    public static JavaClasses classesOf(Path module) {
        JavaClasses classes = new ClassFileImporter().importPath(module.resolve("target/classes"));
        if (classes.isEmpty()) {
            throw new IllegalStateException("no classes in " + module.resolve("target/classes"));
        }
        return classes;
    }

    /// Everything in the module that breaks a rule of the house.
    public static List<String> faultsOf(Path module) {
        JavaClasses classes = classesOf(module);
        List<String> faults = new ArrayList<>(names(classes));
        faults.addAll(notNullMarked(classes));
        faults.addAll(tooLong(module.resolve("src/main/java")));
        return faults;
    }

    /// Names that say nothing about the thing.
    public static List<String> names(JavaClasses classes) {
        Set<String> faults = new TreeSet<>();
        for (JavaClass one : classes) {
            for (String word : EMPTY_WORDS) {
                if (one.getSimpleName().endsWith(word) && !isNamedByThePlatform(one)) {
                    faults.add("a name that ends in '" + word + "' says nothing of the thing: " + one.getName());
                }
            }
            for (String part : one.getPackageName().split("\\.", -1)) {
                if (EMPTY_ROOMS.contains(part)) {
                    faults.add("a package '" + part + "' says nothing of the thing: " + one.getPackageName());
                }
            }
        }
        return List.copyOf(faults);
    }

    /// A `TrustManager` of TLS is called that by everybody.
    private static boolean isNamedByThePlatform(JavaClass one) {
        return one.isAssignableTo("javax.net.ssl.TrustManager") || one.isAssignableTo("javax.net.ssl.KeyManager");
    }

    /// Packages whose `package-info` does not carry `@NullMarked`.
    public static List<String> notNullMarked(JavaClasses classes) {
        Set<String> packages = new TreeSet<>();
        Set<String> marked = new TreeSet<>();
        for (JavaClass one : classes) {
            packages.add(one.getPackageName());
            if (one.getSimpleName().equals("package-info")
                    && one.isAnnotatedWith("org.jspecify.annotations.NullMarked")) {
                marked.add(one.getPackageName());
            }
        }
        packages.removeAll(marked);
        return packages.stream()
                .map(name -> "no package-info.java with @NullMarked: " + name)
                .toList();
    }

    /// Source files past the length that one sitting can read.
    public static List<String> tooLong(Path sources) {
        List<String> faults = new ArrayList<>();
        try (Stream<Path> files = Files.walk(sources)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".java")).sorted().toList()) {
                int lines = Files.readAllLines(file).size();
                if (lines > MOST_LINES) {
                    faults.add(file.getFileName() + " has " + lines + " lines, more than " + MOST_LINES);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return faults;
    }
}
