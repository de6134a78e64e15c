// Tables and columns of Dataverse, as far as dynamics-365.yaml needs them.

@path: '/api/data/v9.2'
service Dataverse {
  entity accounts {
    key accountid : UUID;
    name          : String(160) @mandatory;
    accountnumber : String(20);
    emailaddress1 : String(100);
    telephone1    : String(50);
  }
  entity contacts {
    key contactid            : UUID;
    firstname                : String(50);
    lastname                 : String(50) @mandatory;
    emailaddress1            : String(100);
    parentcustomerid_account : Association to accounts;
  }
  entity opportunities {
    key opportunityid  : UUID;
    name               : String(300) @mandatory;
    estimatedvalue     : Decimal(19, 4);
    estimatedclosedate : Date;
    customerid_account : Association to accounts;
  }
}
