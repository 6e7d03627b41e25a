import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;

/** Points: lines of numbers, as many in each, one space between them. */
class Points {
    private static final double[] TENS = new double[19];

    static {
        TENS[0] = 1;
        for (int i = 1; i < TENS.length; i++)
            TENS[i] = TENS[i - 1] * 10;
    }

    /** As Double.parseDouble(), to which it leaves what is no plain decimal number of up to 15 digits. */
    private static double number(String line, int begin, int end) {
        boolean negative = line.charAt(begin) == '-';
        int point = -1, i = negative ? begin + 1 : begin;
        long digits = 0;

        for (; i < end && end - begin <= 16; i++) {
            char c = line.charAt(i);

            if (c == '.' && point < 0)
                point = i;
            else if (c >= '0' && c <= '9')
                digits = digits * 10 + (c - '0');
            else
                break;
        }
        if (i < end)
            return Double.parseDouble(line.substring(begin, end));
        // Both are exact, so their quotient is the nearest double.
        double number = point < 0 ? digits : digits / TENS[end - point - 1];
        return negative ? -number : number;
    }

    private static double[] parse(String line) {
        int n = 1;

        for (int i = 0; i < line.length(); i++)
            n += line.charAt(i) == ' ' ? 1 : 0;
        double[] point = new double[n];
        for (int i = 0, begin = 0; i < n; i++) {
            int space = line.indexOf(' ', begin), end = space < 0 ? line.length() : space;

            point[i] = number(line, begin, end);
            begin = end + 1;
        }
        return point;
    }

    static JavaRDD<double[]> read(JavaSparkContext spark, String path) {
        return Lines.read(spark, path).map(Points::parse);
    }
}
