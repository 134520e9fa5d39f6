//! Who is in the story: a project's health workers, those who read their reports, and their groups.

use serde_json::{Value, json};

use super::generator::{Generator, Moment};
use super::story::{Outcome, Story};
use super::{DOMAIN, GROUP, USER};

/// A health worker with a phone.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) id: String,
    pub(super) username: String,
    pub(super) village: &'static str,
    document: Value,
}

/// Account, given name, family name, language, village.
const WORKERS: [[&str; 5]; 12] = [
    ["amina", "Amina", "Otieno", "sw", "Kisumu Ndogo"],
    ["ram.kumari", "राम कुमारी", "शर्मा", "hin", "रामपुर"],
    ["fatima", "فاطمة", "الزهراء", "ara", "قرية النور"],
    ["tigist", "ትዕግስት", "አበበ", "amh", "ደብረ ብርሃን"],
    ["nasrin", "নাসরিন", "আক্তার", "ben", "চাঁদপুর"],
    ["maria", "María José", "Núñez", "es", "San José Ojetenám"],
    ["awa", "Awa", "N'Diaye", "fra", "Thiès-Nord"],
    ["thandi", "Thandiwe", "Mkhize", "zul", "eMgungundlovu"],
    ["lan", "Lan", "Nguyễn Thị", "vie", "Xã Đông Hà"],
    ["mei", "梅", "陈", "zho", "石门村"],
    ["oksana", "Оксана", "Коваленко", "ukr", "Гірське"],
    ["joão", "João", "Conceição", "por", "Vila Sã"],
];
/// Address, given name, family name.
const READERS: [[&str; 3]; 3] = [
    ["supervisor@riverside.example.org", "Grace", "Achieng"],
    ["data@riverside.example.org", "Émile", "Åström"],
    ["ministry@health.example.org", "Yusuf", "bin Ali"],
];

/// Lets everybody arrive, and returns those with phones.
pub(super) fn arrive(story: &mut Story, generator: &mut Generator) -> Vec<Worker> {
    let workers: Vec<Worker> = WORKERS.iter().map(|person| worker(generator, person)).collect();
    for worker in &workers {
        story.save(USER, Outcome::Indexed, worker.document.clone());
    }
    for person in &READERS {
        story.save(USER, Outcome::Indexed, reader(generator, person));
    }
    for (position, team) in workers.chunks(4).enumerate() {
        let users: Vec<&str> = team.iter().map(|worker| worker.id.as_str()).collect();
        let group = json!({
            "_id": generator.id(), "doc_type": "Group", "domain": DOMAIN, "name": format!("Team {}", position + 1),
            "users": users, "removed_users": [], "case_sharing": position == 0, "reporting": true, "path": [],
            "metadata": {"district": "लखनऊ"}, "last_modified": Moment::START.instant(),
        });
        story.save(GROUP, Outcome::Indexed, group);
    }
    let office = json!({
        "_id": generator.id(), "doc_type": "Group", "domain": DOMAIN, "name": "Bureau régional | क्षेत्रीय कार्यालय",
        "users": [], "case_sharing": false, "reporting": true, "path": ["Ministry", "Region 4"],
    });
    story.save(GROUP, Outcome::Indexed, office.clone());
    // The office is closed, by mistake at first.
    let mut closed = office.clone();
    closed["doc_type"] = json!("Group-Deleted");
    story.save(GROUP, Outcome::Absent, closed.clone());
    story.save(GROUP, Outcome::Indexed, office);
    closed["_id"] = json!(generator.id());
    story.save(GROUP, Outcome::Absent, closed);
    workers
}

/// Lets some users change and leave: one moves, one is deleted by type, one account is gone
/// altogether.
pub(super) fn change(story: &mut Story, workers: &[Worker]) {
    let [first, second, third, ..] = workers else { return };
    let mut moved = first.document.clone();
    moved["user_data"]["supervises"] = json!(["Team 1", "Team 2"]);
    moved["location_id"] = json!("clinic-riverside-2");
    moved["last_login"] = json!(Moment::START.plus(8_000_000).fine());
    story.save(USER, Outcome::Indexed, moved);

    let mut retired = second.document.clone();
    retired["doc_type"] = json!("CommCareUser-Deleted");
    story.save(USER, Outcome::Absent, retired);

    story.delete(&third.id);
}

fn worker(
    generator: &mut Generator,
    [account, first, last, language, village]: &[&'static str; 5],
) -> Worker {
    let id = generator.id();
    let username = format!("{account}@{DOMAIN}.commcarehq.org");
    let arrived = Moment::START.plus(generator.below(86_400));
    let build = 20 + generator.below(9);
    let document = json!({
        "_id": id, "doc_type": "CommCareUser", "base_doc": "CouchUser", "domain": DOMAIN,
        "username": username, "password": "pbkdf2_sha256$10000$never$indexed", "first_name": first, "last_name": last,
        "language": language, "status": "", "is_active": true, "is_staff": false, "is_superuser": false,
        "is_demo_user": false, "created_on": arrived.instant(), "last_login": null,
        "phone_numbers": [format!("2547{:08}", generator.below(100_000_000))],
        "location_id": "clinic-riverside", "assigned_location_ids": ["clinic-riverside"],
        "domain_membership": {
            "doc_type": "DomainMembership", "domain": DOMAIN, "is_admin": false, "role_id": null,
            "timezone": "Africa/Nairobi", "override_global_tz": false, "location_id": "clinic-riverside",
            "assigned_location_ids": ["clinic-riverside"],
        },
        "eulas": [{
            "doc_type": "LicenseAgreement", "type": "End User License Agreement", "version": "3.0", "signed": true,
            "date": arrived.fine(), "user_id": id, "user_ip": "192.0.2.14",
        }],
        "devices": [{
            "doc_type": "DeviceIdLastUsed", "device_id": format!("35851{:010}", generator.below(u32::MAX)),
            "last_used": arrived.plus(3_600).fine(), "commcare_version": "2.53.1",
            "app_meta": [{
                "doc_type": "DeviceAppMeta", "app_id": "riverside-mother-and-child", "build_id": format!("build-{build}"),
                "build_version": build, "last_submission": arrived.plus(3_000).fine(),
                "last_sync": arrived.plus(3_300).fine(), "num_unsent_forms": generator.below(4),
            }],
        }],
        "user_data": {
            "village": village, "households": 40 + generator.below(60), "trained": generator.chance(70),
            "commcare_project": DOMAIN, "supervises": null,
        },
    });
    Worker { id, username, village, document }
}

fn reader(generator: &mut Generator, [address, first, last]: &[&'static str; 3]) -> Value {
    json!({
        "_id": generator.id(), "doc_type": "WebUser", "base_doc": "CouchUser", "username": address,
        "first_name": first, "last_name": last, "language": "en", "is_active": true, "is_staff": false,
        "is_superuser": false, "created_on": Moment::START.instant(), "domains": [DOMAIN, "demo"],
        "domain_memberships": [
            {"doc_type": "DomainMembership", "domain": DOMAIN, "is_admin": true, "role_id": null, "timezone": "UTC"},
            {"doc_type": "DomainMembership", "domain": "demo", "is_admin": false, "role_id": "reader", "timezone": "UTC"},
        ],
        "eulas": [], "devices": [], "user_data": {},
    })
}
