use super::pack::{Pack, bomb, chart};
use crate::package::about;
use tar::EntryType;

#[test]
fn a_chart_says_its_own_name_and_version_and_not_that_of_a_part() {
    let about = about(&chart("demo", "v1.2.3")).unwrap();
    assert_eq!((about.name.as_str(), about.version.as_str()), ("demo", "v1.2.3"));
}

#[test]
fn a_package_with_more_inside_than_helm_takes_is_refused_before_it_fills_the_memory() {
    let small = bomb();
    assert!(small.len() < 1024 * 1024);
    let failure = about(&small).unwrap_err();
    assert!(failure.happened.contains("100 MiB"), "{}", failure.happened);
}

#[test]
fn what_leads_out_of_a_package_is_refused() {
    let about_demo = b"name: demo\nversion: 1.0.0\n";
    let demo = || Pack::new().file("demo/Chart.yaml", about_demo);
    for (what, bytes) in [
        ("a path upwards", demo().file("demo/../../x", b"x").done()),
        ("an absolute path", demo().file("/x", b"x").done()),
        ("a path of another system", demo().file("demo\\x", b"x").done()),
        ("a symbolic link", demo().entry("demo/x", EntryType::Symlink, b"").done()),
        ("a hard link", demo().entry("demo/x", EntryType::Link, b"").done()),
        ("a device", demo().entry("demo/x", EntryType::Char, b"").done()),
        ("a FIFO", demo().entry("demo/x", EntryType::Fifo, b"").done()),
        ("two charts", demo().file("other/Chart.yaml", about_demo).done()),
        ("no chart", Pack::new().file("demo/values.yaml", b"a: 1").done()),
        ("a chart in no folder", Pack::new().file("Chart.yaml", about_demo).done()),
        ("a huge Chart.yaml", Pack::new().file("demo/Chart.yaml", &vec![b'#'; 2 * 1024 * 1024]).done()),
        ("no YAML", Pack::new().file("demo/Chart.yaml", b"{{").done()),
        ("no text", Pack::new().file("demo/Chart.yaml", &[0xff, 0xfe]).done()),
        ("no version", Pack::new().file("demo/Chart.yaml", b"name: demo\nversion: newest\n").done()),
        ("no archive", b"<html>Sign in</html>".to_vec()),
        ("nothing", Vec::new()),
    ] {
        assert!(about(&bytes).is_err(), "{what}");
    }
    assert!(about(&demo().done()).is_ok());
}

#[test]
fn a_package_that_is_cut_off_is_refused() {
    let whole = chart("demo", "1.0.0");
    assert!(about(&whole[..whole.len() / 2]).is_err());
}
