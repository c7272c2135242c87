package sample.city.ground;

public record Word(String value) {}
