//! Texts and whether upstream's `strfmt` takes them for their formats, as a program around it answered.

use super::*;

#[rustfmt::skip]
const ANSWERS: &[(&str, &[(&str, bool)])] = &[
    ("bsonobjectid", &[("507f1f77bcf86cd799439011", true), ("507f1f77bcf86cd79943901", false), ("g07f1f77bcf86cd799439011", false), ("", false)]),
    ("byte", &[("YQ==", true), ("YQ", false), ("", false), ("YWJj", true), ("YQ==YQ==", false), ("Y===", false), ("YWJj\n", false), ("YW-_", false)]),
    ("cidr", &[("10.0.0.0/8", true), ("10.0.0.0", false), ("10.0.0.0/33", false), ("010.0.0.0/8", true), ("::/0", true), ("fe80::1/129", false), ("10.0.0/8", false), ("10.0.0.0/08", true), ("10.0.0.0/", false), ("1.2.3.4/+8", false)]),
    ("creditcard", &[("4111111111111111", true), ("4111-1111-1111-1111", true), ("4111111111111112", false), ("378282246310005", true), ("", false), ("x", false)]),
    ("date", &[("2020-02-29", true), ("2021-02-29", false), ("2020-1-1", false), ("2020-13-01", false), ("2020-01-32", false), ("2000-02-29", true), ("1900-02-29", false), ("2020-01-01T00:00:00Z", false), ("", false)]),
    ("date-time", &[("2020-01-01T00:00:00Z", true), ("2020-01-01t00:00:00z", true), ("2020-01-01T24:00:00Z", false), ("2020-01-01T00:00:60Z", false), ("2020-01-01T00:00:00", false), ("2020-01-01T00:00:00.123+01:00", true), ("2020-01-01 00:00:00Z", false), ("2020-01-01T00:00:00+25:00", true), ("2020-02-30T00:00:00Z", false), ("2020-01-01T00:00:00x5Z", true)]),
    ("duration", &[("1s", true), ("1h2m", true), ("22 ns", true), ("3 days", true), ("1.5h", true), ("-1s", true), ("0", true), ("1", false), ("", false), ("5 weeks", true), ("x 5 minutes", true), ("10 parsecs", false), ("1 Hour", true), ("1µs", true), ("1.h", true), (".5s", true), ("1d", true), ("99999999999999999999 s", false), ("2 hrs", false), ("1w2d", true)]),
    ("email", &[("a@b", true), ("a@b.c", true), ("Name <a@b.c>", true), ("a", false), ("@b", false), ("a@", false), ("\"a b\"@c.d", true), ("a b@c.d", false), ("<a@b.c>", true), ("a@[1.2.3.4]", true), ("a..b@c", false), ("a@b..c", false), ("ü@ö.de", true), ("\"N, M\" <a@b>", true), ("a@b>", false), ("N. M. <a@b.c>", true)]),
    ("hexcolor", &[("#fff", true), ("fff", true), ("#FFFFFF", true), ("#ffff", false), ("", false), ("#ggg", false)]),
    ("hostname", &[("a", true), ("a.b", false), ("a.bc", true), ("example.com", true), ("-a", false), ("a-", true), ("a_b", false), ("1a", true), ("1.2.3.4", false), ("a.b.c1", false), ("EXAMPLE.com", true), ("a-b.cd", true), ("", false), ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false), ("a--b", false), ("ü.de", true), ("localhost", true), ("a.b-c", false), ("foo.bar.", false), ("my-host", false)]),
    ("ipv4", &[("1.2.3.4", true), ("01.2.3.4", true), ("1.2.3", false), ("::ffff:1.2.3.4", true), ("1.2.3.256", false), ("::1", false), ("", false), ("1.2.3.4.5", false), ("0001.2.3.4", true)]),
    ("ipv6", &[("::1", true), ("::ffff:1.2.3.4", true), ("1.2.3.4", false), ("fe80::1%eth0", false), ("::g", false), ("1:2:3:4:5:6:7:8", true)]),
    ("isbn", &[("0321751043", true), ("978-0321751041", true), ("0321751044", false), ("9780321751042", false), ("080442957X", true), ("0-8044-2957-X", true), ("", false)]),
    ("isbn10", &[("0321751043", true), ("9780321751041", false)]),
    ("isbn13", &[("9780321751041", true), ("0321751043", false)]),
    ("k8s-long-name", &[("a.b", true), ("A", false), ("a-.b", false), ("a..b", false), ("", false)]),
    ("k8s-short-name", &[("a", true), ("a.b", false), ("-a", false), ("a-b", true), ("A", false), ("", false)]),
    ("mac", &[("00:00:5e:00:53:01", true), ("00-00-5e-00-53-01", true), ("0000.5e00.5301", true), ("00:00:5e:00:53", false), ("02:00:5e:10:00:00:00:01", true), ("00005e005301", true), ("00:00-5e:00:53:01", false), ("0:0:5e:0:53:1", false)]),
    ("password", &[("", true), ("x", true)]),
    ("rgbcolor", &[("rgb(1,2,3)", true), ("rgb(255, 255, 255)", true), ("rgb(256,0,0)", false), ("rgb( 1 , 2 , 3 )", true), ("rgb(01,2,3)", false), ("rgba(1,2,3)", false), ("rgb(1,2)", false), ("rgb (1,2,3)", false), ("rgb(199,0,0)", true)]),
    ("ssn", &[("111-22-3333", true), ("111 22 3333", true), ("111223333", false), ("111-22-333", false), ("1112-2-3333", false)]),
    ("uri", &[("http://a.b", true), ("/a/b", true), ("a/b", false), ("", false), ("*", true), ("a:b", true), ("http://", true), ("http://a b", false), ("http://a.b/c d", true), ("http://[::1]:80/", true), ("http://a:x/", false), ("//a", true), ("1a:b", false), (":b", false), ("/a%zz", false), ("/a%20", true), ("http://a%zz/", false), ("http://u:p@h:1/?q", true), ("http://a\\b", false), ("mailto:x", true), ("http://[::1", false), ("?x", false), ("#x", false), ("http://a.b#c", false), ("http://h:/", true), ("/\u{1}", false), ("foo_bar:x", false)]),
    ("uuid", &[("123e4567-e89b-12d3-a456-426614174000", true), ("123e4567e89b12d3a456426614174000", true), ("123E4567-E89B-12D3-A456-426614174000", true), ("123e4567-e89b-12d3-a456-42661417400", false), ("{123e4567-e89b-12d3-a456-426614174000}", false)]),
    ("uuid3", &[("123e4567-e89b-32d3-a456-426614174000", true), ("123e4567-e89b-12d3-a456-426614174000", false)]),
    ("uuid4", &[("123e4567-e89b-42d3-a456-426614174000", true), ("123e4567-e89b-42d3-c456-426614174000", false), ("123e4567-e89b-42d3-B456-426614174000", true)]),
    ("uuid5", &[("123e4567-e89b-52d3-a456-426614174000", true), ("123e4567-e89b-52d3-0456-426614174000", false)]),
];

#[test]
fn formats_are_those_of_upstream() {
    for (format, answers) in ANSWERS {
        let (_, check) = FORMATS.iter().find(|(name, _)| name == format).expect("a format");
        for (text, expected) in *answers {
            assert_eq!(check(text), *expected, "{format} {text:?}");
        }
    }
}

#[test]
fn hyphens_in_names_mean_nothing() {
    assert!(is_known("date-time") && is_known("datetime") && is_known("k8s-short-name") && is_known("uu-id"));
    assert!(!is_known("int32") && !is_known("time") && !is_known(""));
}
